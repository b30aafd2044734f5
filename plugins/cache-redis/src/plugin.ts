import {
  type Bus,
  bus,
  type Cache,
  type Counters,
  cache,
  counters,
  definePlugin,
  type Flights,
  flights,
  type PluginFactory,
  type Port,
  SwitchyardError,
  type VectorIndex,
  vectors,
} from '@switchyard/contract'
import { redisBus } from './bus/redis-bus.ts'
import { redisCache } from './cache/redis-cache.ts'
import { openConnection } from './connection.ts'
import { redisCounters } from './counters/redis-counters.ts'
import { redisFlights } from './flights/redis-flights.ts'
import { guardOf } from './guard.ts'
import { redisLog } from './log/redis-log.ts'
import { type CacheRedisInput, redisOptions } from './options.ts'
import { checkServer } from './server-check.ts'
import { resolveTarget } from './target.ts'
import { redisVectors } from './vectors/redis-vectors.ts'

const provides: {
  readonly cache: Port<Cache>
  readonly counters: Port<Counters>
  readonly bus: Port<Bus>
  readonly flights: Port<Flights>
  readonly vectors: Port<VectorIndex>
} = {
  cache,
  counters,
  bus,
  flights,
  vectors,
}

/** State that a fleet shares, on Redis: `cacheRedis({ url: 'rediss://app@redis.internal', password })`. Provides `cache`, `counters`, `bus`, `flights` and `vectors`. */
export const cacheRedis: PluginFactory<CacheRedisInput> = definePlugin({
  name: '@switchyard/cache-redis',
  contract: 1,
  options: redisOptions,
  provides,
  async setup({ options, instance, clock, random, log, signal, onClose }) {
    const { keyPrefix, maxSubscriptions } = options
    const connection = openConnection(resolveTarget(options, instance), options, { clock, random, log })
    const { client, subscriber, connect } = connection
    const guard = guardOf({ clock, ...options })
    const settings = { ...options, blockMs: Math.min(options.commandTimeoutMs, options.leaseMs / 2) }
    const events = redisLog({ client, blocking: connection.blocking, clock, log, keyPrefix, settings })
    onClose(() => {
      guard.close()
      events.close()
      connection.close()
    })
    if (options.connectOnStart) {
      // At start, what the server will not have is a matter of the options.
      const asOption = (error: unknown): never => {
        if (!SwitchyardError.is(error, 'UPSTREAM_REJECTED')) throw error
        throw new SwitchyardError('CONFIG_INVALID', error.message, { cause: error, plugin: instance })
      }
      await connect(signal).catch(asOption)
      await guard.run(() => checkServer(client, log), { signal })
      await guard.run(() => events.start(), { signal }).catch(asOption)
    } else {
      connect(signal).catch(() => {})
      events.start().catch(() => {})
    }
    const messages = redisBus({ client, subscriber, guard, keyPrefix, maxSubscriptions, log })
    const shared = redisFlights({ ...options, client, subscriber, guard, clock, log })
    onClose(() => shared.close())
    const nearby = redisVectors({ ...options, client, guard, clock, log: events })
    onClose(() => nearby.close())
    const deletionMs = options.leaseMs + options.replicaTimeoutMs
    return {
      ports: {
        cache: redisCache({ ...options, client, guard, clock, log: events, errors: log, deletionMs }),
        counters: redisCounters({ client, guard, clock, keyPrefix }),
        bus: messages,
        flights: shared,
        vectors: nearby,
      },
      health: (probing) =>
        guard.run(
          async () => {
            await client.ping()
            if (messages.listens() && subscriber !== client) await subscriber.ping()
          },
          { signal: probing },
        ),
    }
  },
})
