import { type Bus, type CallOptions, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { invalid } from '../errors.ts'
import type { Guard } from '../guard.ts'

interface Subscription {
  readonly listener: (message: Uint8Array) => void
  open: boolean
  blamed: boolean
}

interface Topic {
  readonly listening: Set<Subscription>
  /** Resolves once Redis has taken the subscription. */
  readonly taken: Promise<unknown>
}

export interface RedisBusOptions {
  readonly client: Client
  /** In its own connection: one that listens takes no other commands. */
  readonly subscriber: Client
  readonly guard: Guard
  readonly keyPrefix: string
  /** Subscriptions at once, over all topics. */
  readonly maxSubscriptions: number
  readonly log: Pick<Logger, 'error'>
}

/** A bus over the fleet. */
export interface RedisBus extends Bus {
  /** Whether anybody listens here, so that the connection for it matters. */
  listens(): boolean
}

/**
 * Makes a bus on PUBLISH and SUBSCRIBE, with one channel a topic however many listen here. After a loss of its connection it listens
 * again by itself; what was published meanwhile is lost. What a listener throws is logged, the first time for each subscription.
 */
export function redisBus({ client, subscriber, guard, keyPrefix, maxSubscriptions, log }: RedisBusOptions): RedisBus {
  const before = `${keyPrefix}bus:`
  const topics = new Map<string, Topic>()
  let count = 0

  subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
    const name = channel.toString()
    if (!name.startsWith(before)) return
    const topic = name.slice(before.length)
    const heard = topics.get(topic)
    // A subscription that could not be ended, as its connection was away.
    if (heard === undefined) return leave(topic)
    for (const subscription of [...heard.listening]) hand(subscription, topic, message)
  })

  function hand(subscription: Subscription, topic: string, message: Buffer): void {
    if (!subscription.open) return
    try {
      // An async function fits where a listener is asked for; what it rejects with would end the process.
      const result: unknown = subscription.listener(new Uint8Array(message))
      if (result instanceof Promise) result.catch((error: unknown) => blame(subscription, topic, error))
    } catch (error) {
      blame(subscription, topic, error)
    }
  }

  function blame(subscription: Subscription, topic: string, error: unknown): void {
    if (subscription.blamed) return
    subscription.blamed = true
    log.error({ topic, error }, 'a listener of the bus failed; its further failures are not logged')
  }

  function leave(topic: string): void {
    subscriber.unsubscribe(before + topic).catch(() => {})
  }

  function join(topic: string, subscription: Subscription): Topic {
    let joined = topics.get(topic)
    if (joined === undefined) {
      joined = { listening: new Set(), taken: subscriber.subscribe(before + topic) }
      topics.set(topic, joined)
    }
    joined.listening.add(subscription)
    count += 1
    return joined
  }

  function end(topic: string, own: Topic, subscription: Subscription): void {
    if (!subscription.open) return
    subscription.open = false
    count -= 1
    own.listening.delete(subscription)
    if (own.listening.size > 0 || topics.get(topic) !== own) return
    topics.delete(topic)
    leave(topic)
  }

  return {
    capabilities: Object.freeze({ shared: true }),

    publish: (topic, message, options) =>
      guard.run(async () => {
        checkTopic(topic)
        await client.publish(before + topic, Buffer.from(message))
      }, options),

    async subscribe(topic, listener, options?: CallOptions) {
      const subscription: Subscription = { listener, open: true, blamed: false }
      let joined: Topic | undefined
      try {
        await guard.run(async () => {
          checkTopic(topic)
          if (count >= maxSubscriptions) throw overloaded(maxSubscriptions)
          joined = join(topic, subscription)
          await joined.taken
        }, options)
      } catch (error) {
        if (joined !== undefined) end(topic, joined, subscription)
        throw error
      }
      const own = joined as Topic
      return async () => end(topic, own, subscription)
    },

    listens: () => count > 0,
  }
}

function checkTopic(topic: string): void {
  if (topic === '') throw invalid('a topic must not be empty')
  if (!topic.isWellFormed()) throw invalid('a topic must be well-formed text; this one has half a surrogate pair')
}

function overloaded(limit: number): SwitchyardError {
  const message = `${limit} subscriptions of the bus are open, which is maxSubscriptions; end some, or raise it`
  return new SwitchyardError('OVERLOADED', message, { details: { option: 'maxSubscriptions', limit } })
}
