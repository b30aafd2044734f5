import {
  type Call,
  type Explained,
  type Next,
  type Operation,
  type Policy,
  type Reply,
  SwitchyardError,
} from '@switchyard/contract'
import type { Counts } from './counts.ts'
import type { BypassReason, Kind, Plan } from './kind.ts'
import type { KeptReply } from './levels/kept-reply.ts'
import { entryOf, fromStore, hit, isYoung, type Lookup, type LookupParts, levelOf } from './lookup/lookup.ts'
import { refresherOf } from './lookup/refresh.ts'
import { wayOf } from './lookup/upstream.ts'
import { told } from './told.ts'
import type { Writes } from './writes.ts'

/** What the policy stands on. */
export interface PolicyParts extends LookupParts {
  readonly kinds: ReadonlyMap<Operation, Kind>
  readonly writes: Writes
  /** One for each kind. */
  readonly counts: ReadonlyMap<Operation, Counts>
  /** Callers are told by headers, where replies have some. */
  readonly headers: boolean
}

const MISS = Object.freeze({ 'x-switchyard-cache': 'miss' })

/**
 * The one cache policy of all operations: replies kept in this process, then in the shared store, then those of questions that were asked in
 * other words; of equal calls under way one goes upstream. A failing store is a miss, never an error.
 */
export function cachePolicy(parts: PolicyParts): Policy {
  const { name, kinds, cache, near, store, flight, semantic, writes, clock, headers } = parts
  const { refresh, isDueEarly } = refresherOf(parts)
  const storeLevel = levelOf(cache)
  const countsOf = ({ operation }: Call): Counts => parts.counts.get(operation) as Counts

  function around(call: Call, next: Next): Promise<Reply<Operation>> {
    const kind = kinds.get(call.operation)
    if (kind === undefined) return next(call)
    const plan = kind.plan(call)
    if ('writes' in plan) return writes.around(call, next, plan.writes)
    if ('bypass' in plan) return bypassed(call, next, plan.bypass, plan.wish)
    const counts = countsOf(call)
    counts.asked(plan.key)
    if (plan.strict && cache.mark === undefined) return bypassed(call, next, 'store-unfit', plan.wish)
    if (writes.isBehind(plan.tags)) return bypassed(call, next, 'store-behind', plan.wish)
    if (plan.wish !== 'no-cache') {
      const kept = near.get(plan.key, clock.now())
      if (kept !== undefined && isYoung(kept, plan, clock.now()))
        return Promise.resolve(served({ call, next, kind, plan, mark: undefined, counts }, kept, 'l1'))
    }
    return further({ call, next, kind, plan, mark: cache.mark?.(plan.tags), counts })
  }

  /** From what is kept; fetched anew beside it where that is due. */
  function served(lookup: Lookup, kept: KeptReply, level: 'l1' | 'l2'): Reply<Operation> {
    const isStale = kept.freshUntil <= clock.now()
    if (isStale || isDueEarly(kept)) refresh({ ...lookup, mark: cache.mark?.(lookup.plan.tags) })
    return hit(parts, lookup, kept, isStale ? 'stale' : level)
  }

  function bypassed(call: Call, next: Next, reason: BypassReason, wish?: Plan['wish']): Promise<Reply<Operation>> {
    if (reason !== 'own-call') countsOf(call).bypass(reason)
    call.trace.decide(name, 'bypass', { reason })
    if (wish === 'only-if-cached') return Promise.reject(notCached(reason))
    const reply = next(call)
    if (!headers) return reply
    return reply.then((one) => told(one, bypassOf(reason)))
  }

  async function further(lookup: Lookup): Promise<Reply<Operation>> {
    const { call, kind, plan, counts } = lookup
    const shared = flightOf(lookup)
    // Whoever leads here has looked into the store; a hundred who come behind need not.
    if (plan.wish !== 'no-cache' && (plan.wish === 'only-if-cached' || !flight.isFlying(shared))) {
      const kept = await fromStore(parts, lookup, call.signal)
      if (kept !== undefined && isYoung(kept, plan, clock.now())) return served(lookup, kept, storeLevel)
    }
    if (plan.wish === 'only-if-cached') {
      counts.outcome('miss')
      throw notCached()
    }
    const way = wayOf(parts, lookup)
    const flown = await flight.fly(shared, {
      signal: call.signal,
      lead: way.lead,
      landed: way.landed,
    })
    if (flown.role === 'listener') {
      call.trace.decide(name, 'hit', { level: 'coalesced' })
      counts.outcome('coalesced')
      if (plan.likeness !== undefined) semantic?.counted(plan.likeness.population)
      return kind.assemble(flown.frames, { level: 'coalesced', age: 0, entry: entryOf(plan.key) }, call)
    }
    const reply = await kind.assemble(flown.frames, undefined, call)
    // Frames bear what every caller may be told; who led is told all that its reply said.
    const said = way.headers()
    if (said === undefined) return reply
    return told(reply, headers && way.isUpstream() ? { ...said, ...MISS } : said)
  }

  /**
   * Calls under way are shared within it. Who asks for an answer of its own shares none, nor whoever cannot tell what was invalidated since. What
   * answers one may be stored, or of other words, so that those who take less of that share none with those who take more; and it ends with the
   * time of the one who leads, so that whoever has twice as long does not wait for it.
   */
  function flightOf({ call, plan: { key, mode, wish, maxAgeMs, likeness }, mark }: Lookup): string {
    const isAlone = wish === 'no-cache' || (cache.mark !== undefined && mark === undefined)
    const takes = `${likeness === undefined ? 'exact' : (likeness.epsilon ?? '')}|${maxAgeMs ?? ''}`
    const time = call.deadline === undefined ? '' : Math.ceil(Math.log2(Math.max(1, call.deadline - clock.now())))
    return `${key}|${mode}|${mark ?? ''}|${takes}|${time}${isAlone ? `|${call.id}` : ''}`
  }

  async function explain(call: Call): Promise<Explained> {
    const kind = kinds.get(call.operation)
    if (kind === undefined) return { decisions: [] }
    const plan = kind.plan(call)
    if ('bypass' in plan) return { decisions: [{ decision: 'bypass', because: { reason: plan.bypass } }] }
    if ('writes' in plan) return { decisions: [{ decision: 'writes', because: { tags: plan.writes.length } }] }
    const because = { ...kind.explain(call), ttlMs: plan.ttlMs, alike: plan.likeness !== undefined }
    const level = await heldAt(plan, kind, call.signal)
    return { decisions: [{ decision: level === undefined ? 'would-miss' : 'would-hit', because: { level, ...because } }] }
  }

  async function heldAt(plan: Plan, kind: Kind, signal: AbortSignal): Promise<'l1' | 'l2' | undefined> {
    if (near.get(plan.key, clock.now()) !== undefined) return 'l1'
    return (await store.get(plan.key, kind, signal)) === undefined ? undefined : storeLevel
  }

  return { name, stage: 'cache', operations: '*', around, explain }
}

function bypassOf(reason: BypassReason): Readonly<Record<string, string>> {
  return { 'x-switchyard-cache': 'bypass', 'x-switchyard-cache-reason': reason }
}

function notCached(reason?: BypassReason): SwitchyardError {
  const why = reason === undefined ? 'no stored reply will do' : `such a call is never answered from the cache (${reason})`
  return new SwitchyardError('NOT_FOUND', `cache: ${why}, and the caller asks for nothing else: only-if-cached`, {
    retryable: false,
    details: { code: 'not_cached', headers: reason === undefined ? MISS : bypassOf(reason) },
  })
}
