import { price } from '@switchyard/catalog'
import type { Call, Clock, ModelEnding } from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import type { Journal, Mark } from '../journal/journal.ts'
import { wholeLine } from '../journal/record.ts'
import type { Outcome } from '../ledger/columns.ts'
import type { LedgerWriter } from '../ledger/writer.ts'
import { storable } from '../money.ts'
import { Attempt } from './attempt.ts'
import { describe } from './opening.ts'
import { partsJson } from './outcome.ts'
import type { Subjects } from './subject.ts'
import { tagsJson } from './tags.ts'
import { tierOf } from './tier.ts'

export interface CacheHitOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly subjects: Subjects
  readonly journal: Journal | undefined
  readonly writer: LedgerWriter
  readonly nextId: (atMs: number) => string
}

/** Books a reply that no upstream was asked for: it cost nothing, and saved what its usage would have cost. */
export function bookCacheHit(call: Call<'model.invoke'>, ending: ModelEnding, options: CacheHitOptions): void {
  const { clock, subjects, journal, writer, nextId } = options
  const now = clock.now()
  const { request } = call
  const subject = subjects.of(call, now)
  const attempt = new Attempt(nextId(now), now, subject, tierOf(request.body), [], undefined)
  attempt.bytes = request.raw?.byteLength ?? 0
  describe(attempt, call, tagsJson(metadataOf(request)), undefined)
  const { usage, usageSource, outcome } = ending
  const cost = usageSource === 'none' || subject.entry === undefined ? null : price(subject.entry, usage, { at: now })
  const saved = cost === null || cost.unknown.length > 0 ? null : storable(cost.pico)
  const end: Outcome = [
    'cache',
    now,
    outcome,
    usageSource,
    null,
    usage.inputTokens,
    usage.outputTokens,
    JSON.stringify(usage),
    partsJson(null),
    0,
    0,
    0,
    null,
    subject.catalog.version,
    null,
    null,
    saved,
    saved,
    'cache',
    null,
  ]
  const row = [...attempt.opening, ...end]
  const mark: Mark = { opened: undefined, ended: undefined, booked: false }
  journal?.ended(wholeLine(row), mark)
  writer.add(row, () => journal?.booked(mark))
}
