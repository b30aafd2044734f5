import type { Attempt } from './attempt.ts'
import type { LatencyOptions } from './options.ts'
import { addSample, emptyWindow, type SampleWindow, sampleWindow, tally } from './sample-window.ts'

/**
 * Times to the first reply of one kind of calls, and the calls that still wait for theirs. Streamed and whole replies are kept
 * apart: the first content of one and the end of the other have little to do with each other.
 */
export interface Lane {
  /** Peak-sensitive average in ms; undefined before the first sample. */
  peakMs: number | undefined
  peakAt: number
  /** Mean of the samples that were not slow. */
  usualMs: number
  usualCount: number
  /** A reply later than this is slow; Infinity until the usual time is known. */
  slowMs: number
  /** Since when most replies were slow; undefined while they are not. */
  slowSince: number | undefined
  /** Good = in time, bad = slow. */
  readonly replies: SampleWindow
  /** Attempts without a reply that none which began later has overtaken. */
  oldest: Attempt | undefined
  newest: Attempt | undefined
  /** Attempts that ever began. */
  begun: number
}

/** Time constant of the fall after a peak (Finagle's peak-EWMA takes the same). */
const FALL_MS = 10_000
/** Replies until the usual time is taken to be known. */
const KNOWN_AFTER = 20
/** Weight of the newest sample in the usual time is one in so many. */
const MEMORY = 200
/** How long a call may wait where nothing is known yet. */
const PATIENCE_MS = 10_000
/** Waiting calls that are a finding. */
const WAITING = 5

/** A lane without samples, judged over windows as long as those of failures. */
export function emptyLane(windowMs: number): Lane {
  return {
    peakMs: undefined,
    peakAt: 0,
    usualMs: 0,
    usualCount: 0,
    slowMs: Number.POSITIVE_INFINITY,
    slowSince: undefined,
    replies: sampleWindow(windowMs),
    oldest: undefined,
    newest: undefined,
    begun: 0,
  }
}

/** Notes a time to first reply. True where it was slow. */
export function noteReply(lane: Lane, ms: number, now: number, options: LatencyOptions): boolean {
  const { peakMs } = lane
  lane.peakMs = peakMs === undefined || ms >= peakMs ? ms : ms + (peakMs - ms) * Math.exp((lane.peakAt - now) / FALL_MS)
  lane.peakAt = now
  const slow = ms > lane.slowMs
  addSample(lane.replies, now, !slow)
  if (!slow) {
    if (lane.usualCount < MEMORY) lane.usualCount += 1
    lane.usualMs += (ms - lane.usualMs) / lane.usualCount
    if (lane.usualCount >= KNOWN_AFTER) lane.slowMs = Math.max(options.minMs, options.factor * lane.usualMs)
  }
  return slow
}

/** Why replies count as slow now: undefined where they do not. Begins to learn anew what has been slow for `acceptAfterMs`. */
export function slowness(lane: Lane, now: number, windowMs: number, options: LatencyOptions): string | undefined {
  const { forMs, minSamples, factor } = options
  const finding = mostlySlow(lane, now, forMs, minSamples) ?? mostlySlow(lane, now, windowMs, minSamples)
  if (finding === undefined) {
    lane.slowSince = undefined
    return undefined
  }
  lane.slowSince ??= now
  if (now - lane.slowSince < options.acceptAfterMs) {
    return `${finding} first replies took more than ${Math.round(lane.slowMs)} ms (${factor} times its usual)`
  }
  lane.usualCount = 0
  lane.slowMs = Number.POSITIVE_INFINITY
  lane.slowSince = undefined
  emptyWindow(lane.replies)
  return undefined
}

function mostlySlow(lane: Lane, now: number, spanMs: number, minSamples: number): string | undefined {
  const { good, bad } = tally(lane.replies, now, spanMs)
  return bad >= minSamples && bad >= good ? `${bad} of ${good + bad}` : undefined
}

/** How long a call may wait for its reply before its wait says something about the deployment. */
export function patienceOf(lane: Lane): number {
  return lane.slowMs === Number.POSITIVE_INFINITY ? PATIENCE_MS : lane.slowMs
}

/** From when on calls that wait are looked at: never where none waits. */
export function overdue(lane: Lane, now: number): boolean {
  return lane.oldest !== undefined && now - lane.oldest.startedAt > patienceOf(lane)
}

/**
 * What calls that wait say: `slow` where several wait beyond what is slow, `stalled` where they wait far beyond it, and none was
 * answered that began after the oldest of them.
 */
export function waiting(lane: Lane, now: number, options: LatencyOptions): 'slow' | 'stalled' | undefined {
  const { oldest } = lane
  let last: Attempt | undefined = oldest
  for (let seen = 1; seen < WAITING && last !== undefined; seen += 1) last = last.newer
  if (last === undefined) return undefined
  const waitedMs = now - last.startedAt
  const known = lane.slowMs !== Number.POSITIVE_INFINITY
  const stalledMs = known ? Math.max(options.stallMs, options.stallFactor * lane.usualMs) : PATIENCE_MS
  if (waitedMs > stalledMs) return 'stalled'
  return waitedMs > patienceOf(lane) ? 'slow' : undefined
}

/** Forgets what is judged, not what is usual; attempts that wait belong to the time before. */
export function newLife(lane: Lane): void {
  emptyWindow(lane.replies)
  lane.oldest = undefined
  lane.newest = undefined
}

/** Notes that an attempt waits for its reply. */
export function startWaiting(lane: Lane, attempt: Attempt): void {
  const { newest } = lane
  lane.begun += 1
  attempt.order = lane.begun
  attempt.older = newest
  if (newest === undefined) lane.oldest = attempt
  else newest.newer = attempt
  lane.newest = attempt
}

/** Ends the wait of an attempt that got none. */
export function stopWaiting(lane: Lane, attempt: Attempt): void {
  const { older, newer } = attempt
  if (lane.oldest === attempt) lane.oldest = newer
  if (lane.newest === attempt) lane.newest = older
  if (older !== undefined) older.newer = newer
  if (newer !== undefined) newer.older = older
  attempt.older = undefined
  attempt.newer = undefined
}

/** Ends the wait of an attempt that got its reply: those that began before it are slow by themselves, and say no more of the rest. */
export function overtake(lane: Lane, attempt: Attempt): void {
  const { oldest } = lane
  const { older, newer } = attempt
  const listed = oldest !== undefined && attempt.order >= oldest.order
  stopWaiting(lane, attempt)
  if (!listed) return
  if (older !== undefined) older.newer = undefined
  if (newer !== undefined) newer.older = undefined
  else lane.newest = undefined
  lane.oldest = newer
}
