import type {
  Budgets,
  Cache,
  Flights,
  ModelProvider,
  Policy,
  Router,
  SemanticCache,
  SetupContext,
  SqlDatabase,
} from '@switchyard/contract'
import { adminOf } from './admin/admin.ts'
import type { CacheAdmin } from './admin/port.ts'
import { Counts } from './counts.ts'
import { singleFlight } from './flight/single-flight.ts'
import { kindsOf } from './kinds.ts'
import { nearLevel } from './levels/near.ts'
import { storeLevel } from './levels/store.ts'
import type { CacheOptions } from './options.ts'
import { ownCalls } from './own-calls.ts'
import { cachePolicy } from './policy.ts'
import { servedReplies } from './served.ts'
import { writesOn } from './writes.ts'

/** What the plugin stands on. */
export interface Deps {
  readonly cache: Cache
  readonly flights: Flights | undefined
  readonly semantic: SemanticCache | undefined
  readonly budgets: Budgets | undefined
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly routers: ReadonlyMap<string, Router>
  readonly databases: ReadonlyMap<string, SqlDatabase>
}

/** Puts the policy and its admin together. Rejects `CONFIG_INVALID` for options that name what is not there. */
export async function assemble(
  ctx: SetupContext<CacheOptions, unknown>,
  deps: Deps,
): Promise<{ readonly admin: CacheAdmin; readonly policy: Policy }> {
  const { options, instance, clock, random, log, emit, onClose } = ctx
  const { cache, flights, semantic, budgets, providers, routers, databases } = deps
  const near = nearLevel(cache, options.nearMaxBytes)
  const store = storeLevel({
    cache,
    clock,
    log,
    lookupTimeoutMs: options.lookupTimeoutMs,
    writeTimeoutMs: options.writeTimeoutMs,
    maxBytes: options.maxEntryBytes,
    compressFrom: options.compressFromBytes,
    maxWritesInFlight: options.maxWritesInFlight,
  })
  const { sharedMaxBytes: maxBytes, fleetTimeoutMs: remoteTimeoutMs } = options
  const flight = singleFlight({ flights, clock, log, maxBytes, remoteTimeoutMs })
  const own = ownCalls({
    clock,
    timeoutMs: options.ownCallTimeoutMs,
    maxInFlight: options.maxOwnCalls,
    budgets,
    maxBudgetShare: options.maxBudgetShare,
  })
  const writes = writesOn({ cache, clock, log, timeoutMs: options.writeTimeoutMs })
  const served = servedReplies(options.rememberedReplies)
  onClose(() => {
    flight.close()
    own.close()
    writes.close()
    near.close()
  })
  const kinds = await kindsOf(options, { providers, routers, databases, clock })
  const counts = new Map([...kinds.keys()].map((operation) => [operation, new Counts()]))
  const parts = { cache, near, store, flight, semantic, own, served, writes, counts }
  const { storeFallbacks, headers } = options
  const policy = cachePolicy({
    ...parts,
    name: instance,
    kinds,
    clock,
    random,
    storeFallbacks,
    headers,
  })
  return { admin: adminOf({ ...parts, log, emit }), policy }
}
