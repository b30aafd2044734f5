import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Flights } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { appends, leads, listens, mutant } from './wrap.ts'

export const listenMutants: readonly Mutant<Flights>[] = [
  mutant('hands-over-at-the-end', 'flights.listen.live', (right) =>
    leads(right, (lead) => {
      const kept: Uint8Array[] = []
      return {
        async append(chunk) {
          kept.push(chunk.slice())
        },
        async complete() {
          for (const chunk of kept) await lead.append(chunk)
          await lead.complete()
        },
      }
    }),
  ),
  mutant('drops-every-tenth', 'flights.listen.live', (right) =>
    leads(right, (lead) => {
      let count = 0
      return {
        async append(chunk, options) {
          count += 1
          if (count % 10 !== 0) await lead.append(chunk, options)
        },
      }
    }),
  ),
  mutant('says-everything-twice', 'flights.listen.live', (right) =>
    leads(right, (lead) => ({
      async append(chunk, options) {
        await lead.append(chunk, options)
        await lead.append(chunk, options)
      },
    })),
  ),
  mutant('from-now-on', 'flights.listen.from-the-first', (right) => {
    const said = new Map<string, number>()
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'leader') {
          said.set(key, 0)
          return {
            ...joined,
            async append(chunk, given) {
              await joined.append(chunk, given)
              said.set(key, (said.get(key) ?? 0) + chunk.length)
            },
          }
        }
        let passed = said.get(key) ?? 0
        async function* chunks(): AsyncGenerator<Uint8Array> {
          for await (const chunk of (joined as { readonly chunks: AsyncIterable<Uint8Array> }).chunks) {
            const rest = chunk.subarray(Math.min(passed, chunk.length))
            passed -= chunk.length - rest.length
            if (rest.length > 0) yield rest
          }
        }
        return { role: 'listener', leave: () => joined.leave(), chunks: chunks() }
      },
    }
  }),
  mutant('last-come-first', 'flights.listen.keeps-order-of-calls', (right) =>
    leads(right, (lead) => {
      let waiting: { readonly chunk: Uint8Array; readonly done: () => void }[] = []
      return {
        append: (chunk) =>
          new Promise<void>((resolve) => {
            waiting.push({ chunk: chunk.slice(), done: resolve })
            if (waiting.length > 1) return
            setImmediate(async () => {
              const all = waiting.reverse()
              waiting = []
              for (const one of all) {
                await lead.append(one.chunk)
                one.done()
              }
            })
          }),
      }
    }),
  ),
  mutant('hands-over-text', 'flights.listen.keeps-bytes', (right) =>
    appends(right, (chunk) => new TextEncoder().encode(new TextDecoder().decode(chunk))),
  ),
  mutant('hands-over-the-whole-buffer', 'flights.listen.keeps-bytes', (right) =>
    appends(right, (chunk) => new Uint8Array(chunk.buffer)),
  ),
  mutant('an-empty-chunk-ends', 'flights.listen.keeps-bytes', (right) =>
    leads(right, (lead) => ({
      append: (chunk, options) => (chunk.length === 0 ? lead.complete() : lead.append(chunk, options)),
    })),
  ),
  mutant('keeps-caller-buffer', 'flights.listen.copies-input', (right) => {
    const kept = new Map<string, Uint8Array>()
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'leader') {
          return {
            ...joined,
            append(chunk, given) {
              kept.set(key, chunk)
              return joined.append(chunk, given)
            },
          }
        }
        async function* chunks(): AsyncGenerator<Uint8Array> {
          for await (const chunk of (joined as { readonly chunks: AsyncIterable<Uint8Array> }).chunks) {
            yield kept.get(key)?.slice() ?? chunk
          }
        }
        return { role: 'listener', leave: () => joined.leave(), chunks: chunks() }
      },
    }
  }),
  mutant('one-buffer-for-all', 'flights.listen.own-bytes', (right) => {
    const shared: Uint8Array[] = []
    return listens(right, ({ chunks }) => ({
      chunks: (async function* () {
        let at = 0
        for await (const chunk of chunks) {
          shared[at] ??= chunk
          yield shared[at] as Uint8Array
          at += 1
        }
      })(),
    }))
  }),
  mutant('swallows-the-end', 'flights.listen.complete-ends', (right) =>
    listens(right, ({ chunks }) => ({
      chunks: (async function* () {
        yield* chunks
        await new Promise(() => {})
      })(),
    })),
  ),
  mutant('ends-before-the-last', 'flights.listen.complete-ends', (right) =>
    listens(right, ({ chunks }) => ({
      chunks: (async function* () {
        let before: Uint8Array | undefined
        for await (const chunk of chunks) {
          if (before !== undefined) yield before
          before = chunk
        }
      })(),
    })),
  ),
  mutant('forgets-what-ended', 'flights.listen.complete-ends', (right) => {
    const over = new Set<string>()
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'leader') {
          return {
            ...joined,
            async complete() {
              over.add(key)
              await joined.complete()
            },
          }
        }
        async function* chunks(): AsyncGenerator<Uint8Array> {
          if (over.has(key)) return
          yield* (joined as { readonly chunks: AsyncIterable<Uint8Array> }).chunks
        }
        return { role: 'listener', leave: () => joined.leave(), chunks: chunks() }
      },
    }
  }),
  mutant('a-cut-looks-like-an-end', 'flights.listen.abandon-rejects', (right) =>
    listens(right, ({ chunks }) => ({
      chunks: (async function* () {
        try {
          yield* chunks
        } catch {
          // the defect of this mutant
        }
      })(),
    })),
  ),
  mutant('abandons-well', 'flights.listen.abandon-rejects', (right) =>
    leads(right, (lead) => ({ abandon: () => lead.complete() })),
  ),
  mutant('waits-for-its-listeners', 'flights.listen.slow-holds-nobody', (right) => {
    const reading = new Set<object>()
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'leader') {
          return {
            ...joined,
            async append(chunk, given) {
              for (let turn = 0; (await joined.listeners()) > reading.size; turn += 1) {
                if (turn > 100) throw new Error('a listener does not read')
                await nextTurn()
              }
              await joined.append(chunk, given)
            },
          }
        }
        async function* chunks(): AsyncGenerator<Uint8Array> {
          reading.add(joined)
          yield* (joined as { readonly chunks: AsyncIterable<Uint8Array> }).chunks
        }
        return { role: 'listener', leave: () => joined.leave(), chunks: chunks() }
      },
    }
  }),
  mutant('drops-what-the-slow-miss', 'flights.listen.slow-holds-nobody', (right) =>
    listens(right, ({ chunks }) => {
      const kept: Uint8Array[] = []
      let end: { readonly error?: unknown } | undefined
      const run = async (): Promise<void> => {
        for await (const chunk of chunks) {
          kept.push(chunk)
          if (kept.length > 20) kept.shift()
        }
      }
      run().then(
        () => {
          end = {}
        },
        (error: unknown) => {
          end = { error }
        },
      )
      return {
        chunks: (async function* () {
          for (;;) {
            const next = kept.shift()
            if (next !== undefined) yield next
            else if (end?.error !== undefined) throw end.error
            else if (end !== undefined) return
            else await nextTurn()
          }
        })(),
      }
    }),
  ),
  mutant('leaves-nothing', 'flights.listen.leave', (right) => listens(right, () => ({ leave: async () => {} }))),
  mutant('throws-at-a-second-leave', 'flights.listen.leave', (right) =>
    listens(right, (listening) => {
      let left = false
      return {
        async leave() {
          if (left) throw new Error('it has left')
          left = true
          await listening.leave()
        },
      }
    }),
  ),
  mutant('one-leaves-for-all', 'flights.listen.leave', (right) => {
    const all: { leave(): Promise<void> }[] = []
    return listens(right, (listening) => {
      all.push(listening)
      return {
        async leave() {
          for (const each of all) await each.leave()
        },
      }
    })
  }),
  mutant('stays-after-a-break', 'flights.listen.break-leaves', (right) =>
    listens(right, ({ chunks }) => ({
      chunks: {
        [Symbol.asyncIterator]() {
          const inner = chunks[Symbol.asyncIterator]()
          return { next: () => inner.next() }
        },
      },
    })),
  ),
]
