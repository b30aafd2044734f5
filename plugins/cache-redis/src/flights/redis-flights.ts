import type { Clock, Flights, Lead, Logger } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { invalid } from '../errors.ts'
import type { Guard } from '../guard.ts'
import { runScript } from '../run-script.ts'
import { doorbell } from './doorbell.ts'
import { flightKeys, freshId } from './keys.ts'
import { redisLead } from './lead.ts'
import { type RedisListening, redisListening } from './listening.ts'
import { END, JOIN } from './scripts.ts'
import { KEEP_MS, LEASE_MS, LISTENER_MS } from './timing.ts'

export interface RedisFlightsOptions {
  readonly client: Client
  /** In its own connection: one that listens takes no other commands. */
  readonly subscriber: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'monotonic' | 'schedule' | 'sleep'>
  readonly keyPrefix: string
  /** Bytes that one flight may hand over. */
  readonly maxFlightBytes: number
  readonly log: Pick<Logger, 'warn'>
}

/** Flights over the fleet. */
export interface RedisFlights extends Flights {
  /** Abandons what is led here, leaves what is listened to. Never rejects. */
  close(): Promise<void>
}

/**
 * Makes flights on Redis: who leads is a key with a lease, what it hands over a stream, whose entries are numbered so that none comes
 * twice or is missed. Listeners are woken by a message and read the stream at their own pace.
 */
export function redisFlights(options: RedisFlightsOptions): RedisFlights {
  const { client, subscriber, guard, clock, keyPrefix, maxFlightBytes, log } = options
  const node = freshId()
  const keysOf = flightKeys(keyPrefix)
  const bell = doorbell(subscriber, keyPrefix, node, log)
  const leads = new Set<Lead>()
  const listenings = new Set<RedisListening>()
  let serial = 0

  return {
    capabilities: Object.freeze({ shared: true, maxBytes: maxFlightBytes }),

    join: (key, given) =>
      guard.run<Lead | RedisListening>(async (step) => {
        if (key === '') throw invalid('the key of a flight must not be empty')
        const keys = keysOf(key)
        serial += 1
        const [epoch, member] = [freshId(), `${node}/${serial}`]
        const args = [keys.lead, keys.listeners, epoch, String(LEASE_MS), member, String(LISTENER_MS)]
        const [leader, landed] = (await runScript(client, JOIN, args, 2)) as readonly [string, number]
        if (step.over) {
          // The caller was told that it failed: what it would have got goes to the next.
          const end = [keys.lead, keys.stream(epoch), keys.listeners, epoch, String(KEEP_MS), 'abandon', bell.channels]
          if (leader === epoch) await runScript(client, END, end, 3)
          else await client.zrem(keys.listeners, member)
          throw new Error('nobody hears this')
        }
        const parts = { client, guard, clock, keys }
        if (leader === epoch)
          return redisLead({ ...parts, isFirst: landed === 0, epoch, channels: bell.channels, maxFlightBytes, all: leads })
        const listening = await redisListening({ ...parts, epoch: leader, member, bell, all: listenings })
        if (step.over) await listening.leave()
        return listening
      }, given),

    async close() {
      for (const listening of [...listenings]) listening.close()
      if (client.status === 'ready') await Promise.allSettled([...leads].map((own) => own.abandon()))
    },
  }
}
