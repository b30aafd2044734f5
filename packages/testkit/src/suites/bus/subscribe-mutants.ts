import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { deaf, hands, type Listener, mutant } from './wrap.ts'

export const subscribeMutants: readonly Mutant<Bus>[] = [
  mutant('one-buffer-for-all', 'bus.subscribe.own-bytes', (right) => {
    let first: Uint8Array | undefined
    return hands(right, (listener) => (message) => {
      first ??= message
      listener(first)
    })
  }),
  mutant('each-function-once', 'bus.subscribe.same-listener-twice', (right) => {
    const known = new Set<Listener>()
    return {
      async subscribe(topic, listener, options) {
        if (known.has(listener)) return async () => {}
        known.add(listener)
        return right.subscribe(topic, listener, options)
      },
    }
  }),
  mutant('ends-by-function', 'bus.subscribe.same-listener-twice', (right) => {
    const ends = new Map<Listener, (() => Promise<void>)[]>()
    return {
      async subscribe(topic, listener, options) {
        const own = [...(ends.get(listener) ?? []), await right.subscribe(topic, listener, options)]
        ends.set(listener, own)
        return async () => {
          for (const end of ends.get(listener) ?? []) await end()
        }
      },
    }
  }),
  mutant('drops-a-listener-that-throws', 'bus.subscribe.throwing-listener', (right) => ({
    async subscribe(topic, listener, options) {
      let failed = false
      return right.subscribe(
        topic,
        (message) => {
          if (failed) return
          try {
            listener(message)
          } catch {
            failed = true
          }
        },
        options,
      )
    },
  })),
  mutant('a-throw-ends-the-round', 'bus.subscribe.throwing-listener', (right) => {
    let broken = false
    return hands(right, (listener) => (message) => {
      if (broken) return
      try {
        listener(message)
      } catch {
        broken = true
      }
    })
  }),
  mutant('locked-while-it-hands-out', 'bus.subscribe.publishes-inside', (right) => {
    let busy = false
    return {
      async publish(topic, message, options) {
        if (!busy) await right.publish(topic, message, options)
      },
      ...hands(right, (listener) => (message) => {
        busy = true
        try {
          listener(message)
        } finally {
          busy = false
        }
      }),
    }
  }),
  mutant('never-ends', 'bus.subscribe.end-stops', (right) => ({
    async subscribe(topic, listener, options) {
      await right.subscribe(topic, listener, options)
      return async () => {}
    },
  })),
  mutant('ends-after-what-is-under-way', 'bus.subscribe.end-stops', (right) => ({
    async subscribe(topic, listener, options) {
      const end = await right.subscribe(topic, listener, options)
      return async () => {
        for (let turn = 0; turn < 3; turn += 1) await nextTurn()
        await end()
      }
    },
  })),
  mutant('ends-all-of-a-topic', 'bus.subscribe.end-stops', (right) => {
    const ends: (() => Promise<void>)[] = []
    return {
      async subscribe(topic, listener, options) {
        ends.push(await right.subscribe(topic, listener, options))
        return async () => {
          for (const end of ends) await end()
        }
      },
    }
  }),
  mutant('ends-by-place', 'bus.subscribe.end-twice', (right) => {
    const ends: (() => Promise<void>)[] = []
    return {
      async subscribe(topic, listener, options) {
        const place = ends.length
        ends.push(await right.subscribe(topic, listener, options))
        return async () => {
          const [end] = ends.splice(place, 1)
          await end?.()
        }
      },
    }
  }),
  mutant('throws-at-a-second-end', 'bus.subscribe.end-twice', (right) => ({
    async subscribe(topic, listener, options) {
      const end = await right.subscribe(topic, listener, options)
      let over = false
      return async () => {
        if (over) throw new Error('it is over')
        over = true
        await end()
      }
    },
  })),
  mutant('listens-to-no-topic', 'bus.subscribe.empty-topic-invalid', (right) => ({
    subscribe: (topic, listener, options) => right.subscribe(topic === '' ? 'none' : topic, listener, options),
  })),
  mutant('ignores-abort-of-subscribe', 'bus.subscribe.aborted-signal', (right) => ({
    subscribe: (topic, listener, options) => right.subscribe(topic, listener, deaf(options)),
  })),
  mutant('listens-before-it-looks-at-the-signal', 'bus.subscribe.aborted-signal', (right) => ({
    async subscribe(topic, listener, options) {
      const end = await right.subscribe(topic, listener)
      if (options?.signal?.aborted) await right.subscribe(topic, listener, options)
      return end
    },
  })),
]
