import {
  cache,
  definePlugin,
  flights,
  many,
  model,
  type Operation,
  optional,
  type PluginFactory,
  type Port,
  semanticCache,
  sql,
} from '@switchyard/contract'
import { adminOf } from './admin/admin.ts'
import { type CacheAdmin, cacheAdmin } from './admin/port.ts'
import { Counts } from './counts.ts'
import { singleFlight } from './flight/single-flight.ts'
import { kindsOf } from './kinds.ts'
import { nearLevel } from './levels/near.ts'
import { storeLevel } from './levels/store.ts'
import { type CacheInput, cacheOptions } from './options.ts'
import { ownCalls } from './own-calls.ts'
import { cachePolicy } from './policy.ts'
import { servedReplies } from './served.ts'
import { writesOn } from './writes.ts'
import './events.ts'

const provides: { readonly cacheAdmin: Port<CacheAdmin> } = { cacheAdmin }

/**
 * The cache policy of all operations, on the port `cache`; with `flights` calls under way are shared over the fleet, with `semantic-cache` a
 * question is also answered that was asked in other words. Provides `cache-admin`.
 */
export const responseCache: PluginFactory<CacheInput> = definePlugin({
  name: '@switchyard/cache',
  contract: 1,
  options: cacheOptions,
  requires: {
    cache,
    flights: optional(flights),
    semantic: optional(semanticCache),
    providers: many(model),
    databases: many(sql),
  },
  provides,
  async setup({ options, deps, instance, clock, random, log, emit, onClose }) {
    const { semantic, providers, databases } = deps
    const near = nearLevel(deps.cache, options.nearMaxBytes)
    const store = storeLevel({
      cache: deps.cache,
      clock,
      log,
      lookupTimeoutMs: options.lookupTimeoutMs,
      writeTimeoutMs: options.writeTimeoutMs,
      maxBytes: options.maxEntryBytes,
      compressFrom: options.compressFromBytes,
      maxWritesInFlight: options.maxWritesInFlight,
    })
    const { sharedMaxBytes: maxBytes, fleetTimeoutMs: remoteTimeoutMs } = options
    const flight = singleFlight({ flights: deps.flights, clock, log, maxBytes, remoteTimeoutMs })
    const own = ownCalls({ clock, timeoutMs: options.ownCallTimeoutMs, maxInFlight: options.maxOwnCalls })
    const writes = writesOn({ cache: deps.cache, clock, log })
    const served = servedReplies(options.rememberedReplies)
    onClose(() => {
      flight.close()
      own.close()
      writes.close()
      near.close()
    })
    const kinds = await kindsOf(options, { providers, databases, clock })
    const counts = new Map([...kinds.keys()].map((operation) => [operation, new Counts()]))
    const parts = { cache: deps.cache, near, store, flight, semantic, own, served, writes, counts }
    const { storeFallbacks, headers } = options
    const policy = cachePolicy({
      ...parts,
      name: instance,
      kinds,
      clock,
      random,
      storeFallbacks,
      headers,
      countsOf: (operation: Operation) => counts.get(operation) as Counts,
    })
    return { ports: { cacheAdmin: adminOf({ ...parts, log, emit }) }, policies: [policy] }
  },
})
