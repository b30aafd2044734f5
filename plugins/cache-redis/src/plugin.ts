import { definePlugin, type PluginFactory } from '@switchyard/contract'
import { redisBus } from './bus/redis-bus.ts'
import { redisCache } from './cache/redis-cache.ts'
import { openConnection } from './connection.ts'
import { redisCounters } from './counters/redis-counters.ts'
import { redisFlights } from './flights/redis-flights.ts'
import { guardOf } from './guard.ts'
import { redisLog } from './log/redis-log.ts'
import { type CacheRedisInput, redisOptions } from './options.ts'
import { provides } from './provides.ts'
import { startUp } from './start-up.ts'
import { resolveTarget } from './target.ts'
import { fleetVectors } from './vectors/fleet-vectors.ts'

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
    await startUp({ client, connect, guard, events, log, instance, waits: options.connectOnStart }, signal)
    const messages = redisBus({ client, subscriber, guard, keyPrefix, maxSubscriptions, log })
    const shared = redisFlights({ ...options, client, subscriber, guard, clock, log })
    onClose(() => shared.close())
    const nearby = await fleetVectors({ ...options, client, guard, clock, log: events }, signal)
    onClose(() => nearby.close())
    const deletionMs = options.leaseMs + options.replicaTimeoutMs
    return {
      ports: {
        cache: redisCache({ ...options, client, guard, clock, log: events, errors: log, deletionMs }),
        counters: redisCounters({ client, guard, clock, keyPrefix }),
        bus: messages,
        flights: shared,
        vectors: nearby.index,
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
