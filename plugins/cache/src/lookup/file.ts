import type { Call, SemanticFinding } from '@switchyard/contract'
import type { KeptReply } from '../levels/kept-reply.ts'
import type { Lookup, LookupParts } from './lookup.ts'

/** Share of the lifetime by which it is drawn at random, so that what was stored together does not expire together. */
const JITTER = 0.1

/** What a reply takes when it is ready, by what it takes stored. */
const READY_TIMES = 3

/**
 * Stores the reply that a call got from upstream, where it ended well and its kind keeps such ones; frames are undefined where it did not. Tells
 * the finding, if there was one, what came of it. Never rejects.
 */
export async function file(
  { name, cache, near, store, clock, random, storeFallbacks }: LookupParts,
  { kind, plan, mark }: Lookup,
  call: Call,
  frames: readonly Uint8Array[] | undefined,
  tookMs: number,
  finding: SemanticFinding | undefined,
): Promise<void> {
  const refused = (reason: string): void => {
    call.trace.decide(name, 'not-stored', { reason })
    finding?.settle(undefined)
  }
  if (frames === undefined) return refused('not-complete')
  if (!storeFallbacks && call.trace.decisions.some(({ decision }) => decision === 'fallback' || decision === 'degraded'))
    return refused('fallback')
  const kept = kind.keep(call, frames)
  if ('refused' in kept) return refused(kept.refused)
  const createdAt = clock.now()
  const freshUntil = createdAt + Math.round(plan.ttlMs * (1 + JITTER * (2 * random() - 1)))
  const expiresAt = freshUntil + plan.staleMs
  const { key, tags } = plan
  const { payload, by } = kept
  const moment = near.moment()
  const times = { createdAt, freshUntil, expiresAt, tookMs }
  const outcome = await store.set(kind, { key, payload, by, tags, mark, ...times })
  if (outcome !== 'stored') return refused(outcome)
  call.trace.decide(name, 'stored', { bytes: payload.byteLength })
  if (cache.capabilities.shared) {
    // A copy of its own: the payload may be a view of far more.
    const own = new Uint8Array(payload)
    const open = (): KeptReply => ({ ...kind.open(own), operation: kind.operation, by, ...times })
    near.set(key, { expiresAt, bytes: own.byteLength * READY_TIMES, open }, tags, mark, moment)
  } else near.forget(key)
  if (finding === undefined) return
  const answer = kind.wordsOf(kind.open(payload).ready)
  finding.settle(answer === undefined ? undefined : { key, answer, expiresAt: freshUntil })
}
