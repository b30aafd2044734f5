import type { Bus } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { confusesTopics, deaf, hands, type Listener, mutant, sends } from './wrap.ts'

export const publishMutants: readonly Mutant<Bus>[] = [
  mutant('sends-nothing', 'bus.publish.reaches-every-listener', () => ({ publish: async () => {} })),
  mutant('one-listener-a-topic', 'bus.publish.reaches-every-listener', (right) => {
    const ends = new Map<string, () => Promise<void>>()
    return {
      async subscribe(topic, listener, options) {
        await ends.get(topic)?.()
        const end = await right.subscribe(topic, listener, options)
        ends.set(topic, end)
        return end
      },
    }
  }),
  mutant('sends-twice', 'bus.publish.each-message-once', (right) => ({
    async publish(topic, message, options) {
      await right.publish(topic, message, options)
      await right.publish(topic, message, options)
    },
  })),
  mutant('drops-what-is-alike', 'bus.publish.each-message-once', (right) => {
    const sent = new Set<string>()
    return {
      async publish(topic, message, options) {
        const text = new TextDecoder().decode(message)
        if (sent.has(text)) return
        sent.add(text)
        await right.publish(topic, message, options)
      },
    }
  }),
  mutant('one-topic-for-all', 'bus.publish.own-topic-only', (right) => confusesTopics(right, () => 'all')),
  mutant('ignores-case', 'bus.publish.own-topic-only', (right) => confusesTopics(right, (topic) => topic.toLowerCase())),
  mutant('trims-topics', 'bus.publish.own-topic-only', (right) => confusesTopics(right, (topic) => topic.trim())),
  mutant('takes-topics-for-patterns', 'bus.publish.own-topic-only', (right) => ({
    async subscribe(topic, listener, options) {
      if (topic !== '*') return right.subscribe(topic, listener, options)
      const ends = await Promise.all(['*', 't', 'T'].map((each) => right.subscribe(each, listener, options)))
      return async () => {
        for (const end of ends) await end()
      }
    },
  })),
  mutant('sends-text', 'bus.publish.keeps-bytes', (right) =>
    sends(right, (message) => new TextEncoder().encode(new TextDecoder().decode(message))),
  ),
  mutant('drops-empty-messages', 'bus.publish.keeps-bytes', (right) => ({
    async publish(topic, message, options) {
      if (message.length > 0) await right.publish(topic, message, options)
    },
  })),
  mutant('sends-the-whole-buffer', 'bus.publish.keeps-bytes', (right) =>
    sends(right, (message) => new Uint8Array(message.buffer)),
  ),
  mutant('keeps-caller-buffer', 'bus.publish.copies-input', (right) => {
    const kept = new Map<string, Uint8Array>()
    return {
      publish(topic, message, options) {
        kept.set(topic, message)
        return right.publish(topic, message, options)
      },
      ...hands(right, (listener, topic) => (message) => listener(kept.get(topic)?.slice() ?? message)),
    }
  }),
  mutant('calls-listeners-inside', 'bus.publish.listeners-run-later', () => {
    const listeners = new Set<{ readonly topic: string; readonly listener: Listener }>()
    return {
      async publish(topic, message) {
        for (const one of listeners) if (one.topic === topic) one.listener(message.slice())
      },
      async subscribe(topic, listener) {
        const one = { topic, listener }
        listeners.add(one)
        return async () => {
          listeners.delete(one)
        }
      },
    }
  }),
  mutant('keeps-for-the-first-listener', 'bus.publish.without-listeners', (right) => {
    const kept: { readonly topic: string; readonly message: Uint8Array }[] = []
    return {
      async publish(topic, message, options) {
        kept.push({ topic, message })
        await right.publish(topic, message, options)
      },
      async subscribe(topic, listener, options) {
        const end = await right.subscribe(topic, listener, options)
        for (const early of kept.splice(0)) if (early.topic === topic) listener(early.message)
        return end
      },
    }
  }),
  mutant('publishes-to-no-topic', 'bus.publish.empty-topic-invalid', (right) => ({
    publish: (topic, message, options) => right.publish(topic === '' ? 'none' : topic, message, options),
  })),
  mutant('ignores-abort-of-publish', 'bus.publish.aborted-signal', (right) => ({
    publish: (topic, message, options) => right.publish(topic, message, deaf(options)),
  })),
  mutant('sends-before-it-looks-at-the-signal', 'bus.publish.aborted-signal', (right) => ({
    async publish(topic, message, options) {
      await right.publish(topic, message)
      await right.publish(`${topic} again`, message, options)
    },
  })),
]
