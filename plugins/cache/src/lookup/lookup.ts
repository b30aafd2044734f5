import type { Cache, Call, Clock, Next, Operation, Reply, SemanticCache } from '@switchyard/contract'
import type { Counts } from '../counts.ts'
import type { SingleFlight } from '../flight/single-flight.ts'
import type { Kind, Marks, Plan } from '../kind.ts'
import type { KeptReply } from '../levels/kept-reply.ts'
import type { NearLevel } from '../levels/near.ts'
import type { StoreLevel } from '../levels/store.ts'
import type { OwnCalls } from '../own-calls.ts'
import type { Served } from '../served.ts'

/** What look-ups stand on. */
export interface LookupParts {
  /** Of the policy, for traces. */
  readonly name: string
  readonly cache: Cache
  readonly near: NearLevel
  readonly store: StoreLevel
  readonly flight: SingleFlight
  readonly semantic: SemanticCache | undefined
  readonly own: OwnCalls
  readonly served: Served
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly random: () => number
  /** Replies that a fallback or a degraded target gave may be stored. */
  readonly storeFallbacks: boolean
}

/** One call on its way through the levels. */
export interface Lookup {
  readonly call: Call
  readonly next: Next
  readonly kind: Kind
  readonly plan: Plan
  /** Of the plan's tags, before anything was read. */
  readonly mark: string | undefined
  readonly counts: Counts
}

/** What the store holds under the plan's key, kept nearer by from now on. */
export async function fromStore(
  { near, store }: LookupParts,
  { kind, plan, mark }: Lookup,
  signal: AbortSignal,
): Promise<KeptReply | undefined> {
  const moment = near.moment()
  const kept = await store.get(plan.key, kind, signal)
  if (kept !== undefined) near.set(plan.key, kept, plan.tags, mark, moment)
  return kept
}

/** What the store counts as: one in this process is the nearest level, made ready or not. */
export function levelOf({ capabilities }: Cache): 'l1' | 'l2' {
  return capabilities.shared ? 'l2' : 'l1'
}

/** Answers a call from what is kept. */
export function hit(
  { name, semantic, served, clock }: LookupParts,
  { call, kind, plan: { key, partition, likeness }, counts }: Lookup,
  kept: KeptReply,
  level: 'l1' | 'l2' | 'stale',
): Reply<Operation> {
  counts.outcome(level)
  if (likeness !== undefined) semantic?.counted(likeness.population)
  call.trace.decide(name, 'hit', HITS[level])
  served.note(call, { key, level, partition, population: undefined, text: undefined })
  return kind.answer(kept.ready, call, marksOf(kept, key, level, clock.now()))
}

const HITS = Object.freeze({
  l1: Object.freeze({ level: 'l1' }),
  l2: Object.freeze({ level: 'l2' }),
  stale: Object.freeze({ level: 'stale' }),
})

/** What the caller is told of it. */
export function marksOf({ createdAt }: KeptReply, key: string, level: Marks['level'], nowMs: number): Marks {
  return { level, age: Math.max(0, Math.floor((nowMs - createdAt) / 1000)), entry: entryOf(key) }
}

/** What a caller may know an entry by: the end of the digest in its key. */
export function entryOf(key: string): string {
  return key.slice(-16)
}

/** Whether the caller takes one so old. */
export function isYoung({ createdAt }: KeptReply, { maxAgeMs }: Plan, nowMs: number): boolean {
  return maxAgeMs === undefined || nowMs - createdAt <= maxAgeMs
}
