import type { Call, Next, Operation, Reply, SemanticFinding } from '@switchyard/contract'
import type { Marks } from '../kind.ts'
import type { KeptReply } from '../levels/kept-reply.ts'
import { file } from './file.ts'
import { isYoung, type Lookup, type LookupParts, marksOf } from './lookup.ts'

/** What was found of other words: a reply where one may serve. */
export interface Alike {
  /** Undefined where nothing is to be told of the answer that the call gets. */
  readonly finding: SemanticFinding | undefined
  readonly reply: Reply<Operation> | undefined
}

const NOTHING: Alike = { finding: undefined, reply: undefined }
const NEVER = new AbortController().signal

/**
 * Looks for the answer to a question that was asked in other words. What serves is never stored under the asker's own key: an answer that nobody
 * verified would be repeated from there.
 */
export async function alike(parts: LookupParts, lookup: Lookup, signal: AbortSignal): Promise<Alike> {
  const { name, semantic, clock, served } = parts
  const { call, next, kind, plan, counts } = lookup
  const { likeness, partition } = plan
  if (semantic === undefined || likeness === undefined) return NOTHING
  const { population, text, earlierTurns, shared, epsilon } = likeness
  const finding = await semantic.find(
    {
      call: call as Call<'model.invoke'>,
      partition,
      population,
      text,
      earlierTurns,
      shared,
      epsilon,
      next: next as Next<'model.invoke'>,
      async answerOf(key) {
        const kept = isOfPartition(key, plan) ? await keptOf(parts, lookup, key, NEVER) : undefined
        return kept === undefined ? undefined : kind.wordsOf(kept.ready)
      },
    },
    { signal },
  )
  const { similarity, margin, probability, audit, key, reason } = finding
  if (finding.outcome !== 'hit' || key === undefined) {
    call.trace.decide(name, 'not-alike', { reason, similarity, margin, probability })
    return { finding, reply: undefined }
  }
  const kept = isOfPartition(key, plan) ? await keptOf(parts, lookup, key, signal) : undefined
  if (kept === undefined) {
    finding.gone()
    return { finding, reply: undefined }
  }
  if (!isYoung(kept, plan, clock.now())) return { finding, reply: undefined }
  const marks: Marks = { ...marksOf(kept, key, 'l3', clock.now()), similarity, margin, probability }
  counts.outcome('l3')
  call.trace.decide(name, 'hit', { level: 'l3', similarity, margin, probability, audit })
  served.note(call, { key, level: 'l3', partition, population, text })
  if (audit) void checked(parts, lookup, finding)
  else finding.settle(undefined)
  return { finding: undefined, reply: kind.answer(kept.ready, call, marks) }
}

/** Whatever an index says, it names no entry beyond the partition: those within it begin alike up to the last colon. */
function isOfPartition(key: string, { key: asked }: Lookup['plan']): boolean {
  return key.slice(0, key.lastIndexOf(':') + 1) === asked.slice(0, asked.lastIndexOf(':') + 1)
}

/** The index is a hint, and the store the truth: what it no longer holds, or holds as stale, serves nobody. */
async function keptOf(
  { near, store, clock }: LookupParts,
  { kind }: Lookup,
  key: string,
  signal: AbortSignal,
): Promise<KeptReply | undefined> {
  const kept = near.get(key, clock.now()) ?? (await store.get(key, kind, signal))
  return kept !== undefined && kept.freshUntil > clock.now() ? kept : undefined
}

/** Sends upstream what was served from likeness, to learn whether it was right. Its answer is stored as that of these very words. */
async function checked(parts: LookupParts, lookup: Lookup, finding: SemanticFinding): Promise<void> {
  const { own, clock } = parts
  const { call, next, kind } = lookup
  const startedAt = clock.monotonic()
  let asked: Call = call
  const frames = await own.make(call, 'audit', async (audit) => {
    asked = audit
    const all: Uint8Array[] = []
    for await (const frame of kind.frames(await next(audit))) all.push(frame)
    return all
  })
  await file(parts, lookup, asked, frames, clock.monotonic() - startedAt, finding)
}
