import { hash } from 'node:crypto'
import type { Plan } from '@switchyard/cache'
import type { LoggedRequest } from './log-line.ts'

/** What the exact levels are tried with. */
export interface RepeatOptions {
  /** Lifetimes, ascending, in ms. */
  readonly ttlsMs: readonly number[]
  /** Sizes of the level in the process, in bytes. */
  readonly nearBytes: readonly number[]
  /** How long an answer takes where the log does not tell, in ms. */
  readonly upstreamMs: number
  /** Distinct requests that are remembered at most. */
  readonly maxDistinct: number
}

/** Counts over all requests that the cache would look up. */
export interface Repeats {
  /** Whether the request has the key of an earlier one. */
  count(request: LoggedRequest, plan: Plan): boolean
  readonly eligible: number
  readonly exact: number
  /** Repeats that only differ in case, spaces and punctuation from one before; never served so, but told. */
  readonly normalised: number
  /** Requests with a label or an answer, and those of them whose like was there before within their partition. */
  readonly labelled: number
  readonly sameAnswer: number
  /** By lifetime: hits of entries that were there, and those that came while the entry was still being fetched. */
  readonly byTtl: readonly { readonly ttlMs: number; readonly hits: number; readonly coalesced: number }[]
  /** By size: hits of the process's own level, its entries as large as the log's answers are, or 4 KiB. */
  readonly bySize: readonly { readonly bytes: number; readonly hits: number }[]
  /** Some line had a time. */
  readonly timed: boolean
  /** Requests whose time was before the line's above them. */
  readonly outOfOrder: number
  /** More requests were distinct than are remembered, so that repeats of the rest are not seen. */
  readonly capped: boolean
}

/** An entry with headers, tags and room in a map, where the log has no answer. */
const ENTRY_BYTES = 4_096
const OVERHEAD_BYTES = 512

interface Seen {
  /** By lifetime: when the entry was fetched last, and how long that took. */
  readonly from: Float64Array
  readonly took: Float64Array
}

/** Counts repeats of a log, in one pass. */
export function repeats({ ttlsMs, nearBytes, upstreamMs, maxDistinct }: RepeatOptions): Repeats {
  const seen = new Map<string, Seen>()
  const texts = new Set<string>()
  const answers = new Set<string>()
  const levels = nearBytes.map(nearOf)
  const hits = ttlsMs.map(() => 0)
  const coalesced = ttlsMs.map(() => 0)
  const counts = { eligible: 0, exact: 0, normalised: 0, labelled: 0, sameAnswer: 0, outOfOrder: 0 }
  let timed = false
  let capped = false
  let now = 0

  function isAgain(set: Set<string>, digest: string): boolean {
    if (set.has(digest)) return true
    if (set.size < maxDistinct) set.add(digest)
    else capped = true
    return false
  }

  function fetched(entry: Seen, at: number, took: number, level: number): void {
    entry.from[level] = at
    entry.took[level] = took
  }

  return {
    count(request, plan) {
      counts.eligible += 1
      if (request.at !== undefined) {
        timed = true
        if (request.at < now) counts.outOfOrder += 1
        now = Math.max(now, request.at)
      }
      const took = request.durationMs ?? upstreamMs
      const digest = shortened(plan.key)
      const known = seen.get(digest)
      for (const level of levels) level.ask(digest, OVERHEAD_BYTES + (request.answerBytes ?? ENTRY_BYTES))
      const { likeness } = plan
      const again = likeness !== undefined && isAgain(texts, shortened(plan.partition, folded(likeness.text)))
      if (again && known === undefined) counts.normalised += 1
      const label = labelOf(request)
      if (label !== undefined) {
        counts.labelled += 1
        if (isAgain(answers, shortened(plan.partition, label))) counts.sameAnswer += 1
      }
      if (known === undefined) {
        if (seen.size >= maxDistinct) {
          capped = true
          return false
        }
        const entry = { from: new Float64Array(ttlsMs.length), took: new Float64Array(ttlsMs.length) }
        for (let level = 0; level < ttlsMs.length; level += 1) fetched(entry, now, took, level)
        seen.set(digest, entry)
        return false
      }
      counts.exact += 1
      for (const [level, ttlMs] of ttlsMs.entries()) {
        const age = now - (known.from[level] as number)
        if (age >= ttlMs) fetched(known, now, took, level)
        else if (timed && age < (known.took[level] as number)) coalesced[level] = (coalesced[level] as number) + 1
        else hits[level] = (hits[level] as number) + 1
      }
      return true
    },
    get eligible() {
      return counts.eligible
    },
    get exact() {
      return counts.exact
    },
    get normalised() {
      return counts.normalised
    },
    get labelled() {
      return counts.labelled
    },
    get sameAnswer() {
      return counts.sameAnswer
    },
    get outOfOrder() {
      return counts.outOfOrder
    },
    get timed() {
      return timed
    },
    get capped() {
      return capped
    },
    get byTtl() {
      return ttlsMs.map((ttlMs, level) => ({
        ttlMs,
        hits: hits[level] as number,
        coalesced: coalesced[level] as number,
      }))
    },
    get bySize() {
      return levels.map(({ bytes, hits: found }) => ({ bytes, hits: found() }))
    },
  }
}

/** What tells answers apart: the label, or else the answer's words. */
export function labelOf({ label, answer }: LoggedRequest): string | undefined {
  if (label !== undefined) return `label ${label}`
  return answer === undefined ? undefined : `answer ${folded(answer)}`
}

/** A text without case, punctuation and spaces of its own. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** 128 bits, enough to tell the requests of any log apart. */
export function shortened(...parts: readonly string[]): string {
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(''), 'base64url').slice(0, 22)
}

/** The least recently used goes, by bytes. */
function nearOf(bytes: number): { readonly bytes: number; hits(): number; ask(key: string, size: number): void } {
  const kept = new Map<string, number>()
  let held = 0
  let found = 0
  return {
    bytes,
    hits: () => found,
    ask(key, size) {
      const before = kept.get(key)
      if (before !== undefined) {
        found += 1
        kept.delete(key)
        kept.set(key, before)
        return
      }
      kept.set(key, size)
      held += size
      for (const [oldest, room] of kept) {
        if (held <= bytes) break
        kept.delete(oldest)
        held -= room
      }
    },
  }
}
