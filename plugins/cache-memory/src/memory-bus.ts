import { type Bus, type CallOptions, type Logger, SwitchyardError } from '@switchyard/contract'
import { invalid, throwIfAborted } from './errors.ts'

interface Subscription {
  readonly listener: (message: Uint8Array) => void
  open: boolean
}

export interface MemoryBusOptions {
  /** Subscriptions at once, over all topics. */
  readonly maxSubscriptions: number
  readonly log: Pick<Logger, 'error'>
}

/** A bus in this process, and what it holds. */
export interface MemoryBus extends Bus {
  /** Subscriptions that are open, and topics that have one. */
  usage(): { readonly subscriptions: number; readonly topics: number }
  /** Ends every subscription. */
  clear(): void
}

/**
 * Makes a bus that nobody listens to. A message reaches those who listened when it was published, in a microtask of its own; nothing
 * is kept. What a listener throws is logged, the first time for each subscription. Beyond `maxSubscriptions`, `subscribe` rejects
 * `OVERLOADED`.
 */
export function memoryBus({ maxSubscriptions, log }: MemoryBusOptions): MemoryBus {
  const topics = new Map<string, Set<Subscription>>()
  const faulty = new WeakSet<Subscription>()
  let count = 0

  function begin(topic: string, options: CallOptions | undefined): void {
    throwIfAborted(options)
    if (topic === '') throw invalid('a topic must not be empty')
  }

  function blame(subscription: Subscription, topic: string, error: unknown): void {
    if (faulty.has(subscription)) return
    faulty.add(subscription)
    log.error({ topic, error }, 'a listener of the bus failed; its further failures are not logged')
  }

  function hand(subscription: Subscription, topic: string, message: Uint8Array): void {
    if (!subscription.open) return
    try {
      // An async function fits where a listener is asked for; what it rejects with would end the process.
      const result: unknown = subscription.listener(new Uint8Array(message))
      if (result instanceof Promise) result.catch((error: unknown) => blame(subscription, topic, error))
    } catch (error) {
      blame(subscription, topic, error)
    }
  }

  function end(topic: string, subscription: Subscription): void {
    if (!subscription.open) return
    subscription.open = false
    count -= 1
    const listening = topics.get(topic)
    listening?.delete(subscription)
    if (listening?.size === 0) topics.delete(topic)
  }

  return {
    capabilities: Object.freeze({ shared: false }),

    async publish(topic, message, options) {
      begin(topic, options)
      const listening = topics.get(topic)
      if (listening === undefined) return
      const [bytes, now] = [new Uint8Array(message), [...listening]]
      queueMicrotask(() => {
        for (const subscription of now) hand(subscription, topic, bytes)
      })
    },

    async subscribe(topic, listener, options) {
      begin(topic, options)
      if (count >= maxSubscriptions) throw overloaded(maxSubscriptions)
      const subscription: Subscription = { listener, open: true }
      const listening = topics.get(topic)
      if (listening === undefined) topics.set(topic, new Set([subscription]))
      else listening.add(subscription)
      count += 1
      return async () => end(topic, subscription)
    },

    usage: () => ({ subscriptions: count, topics: topics.size }),

    clear() {
      for (const [topic, listening] of topics) for (const subscription of listening) end(topic, subscription)
    },
  }
}

function overloaded(limit: number): SwitchyardError {
  const message = `${limit} subscriptions of the bus are open, which is maxSubscriptions; end some, or raise it`
  return new SwitchyardError('OVERLOADED', message, { details: { option: 'maxSubscriptions', limit } })
}
