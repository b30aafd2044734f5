import {
  type Bus,
  bus,
  type Counters,
  counters,
  definePlugin,
  type PluginFactory,
  type Port,
  SwitchyardError,
} from '@switchyard/contract'
import { redisBus } from './bus/redis-bus.ts'
import { openConnection } from './connection.ts'
import { redisCounters } from './counters/redis-counters.ts'
import { guardOf } from './guard.ts'
import { type CacheRedisInput, redisOptions } from './options.ts'
import { checkServer } from './server-check.ts'
import { resolveTarget } from './target.ts'

const provides: { readonly counters: Port<Counters>; readonly bus: Port<Bus> } = { counters, bus }

/** State that a fleet shares, on Redis: `cacheRedis({ url: 'rediss://app@redis.internal', password })`. Provides `counters` and `bus`. */
export const cacheRedis: PluginFactory<CacheRedisInput> = definePlugin({
  name: '@switchyard/cache-redis',
  contract: 1,
  options: redisOptions,
  provides,
  async setup({ options, instance, clock, random, log, signal, onClose }) {
    const { keyPrefix, maxSubscriptions } = options
    const { client, subscriber, connect, close } = openConnection(resolveTarget(options, instance), options, {
      clock,
      random,
      log,
    })
    const guard = guardOf({ clock, ...options })
    onClose(() => {
      guard.close()
      close()
    })
    if (options.connectOnStart) {
      await connect(signal).catch((error: unknown) => {
        // At start, what the server will not have is a matter of the options.
        if (!SwitchyardError.is(error, 'UPSTREAM_REJECTED')) throw error
        throw new SwitchyardError('CONFIG_INVALID', error.message, { cause: error, plugin: instance })
      })
      await guard.run(() => checkServer(client, log), { signal })
    } else connect(signal).catch(() => {})
    const messages = redisBus({ client, subscriber, guard, keyPrefix, maxSubscriptions, log })
    return {
      ports: { counters: redisCounters({ client, guard, clock, keyPrefix }), bus: messages },
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
