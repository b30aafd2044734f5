/** Counts of good and bad samples by time. Buckets are found from `now`, so that idle time empties them. */
export interface SampleWindow {
  readonly bucketMs: number
  readonly good: Uint32Array
  readonly bad: Uint32Array
  /** Number of the newest bucket, counted from time 0. */
  newest: number
  /** Sums over the whole window, as of the newest bucket. */
  goodSum: number
  badSum: number
}

export interface Tally {
  readonly good: number
  readonly bad: number
}

const BUCKETS = 40

/** An empty window over the last `spanMs`, to a fortieth of it. */
export function sampleWindow(spanMs: number): SampleWindow {
  return {
    bucketMs: spanMs / BUCKETS,
    good: new Uint32Array(BUCKETS),
    bad: new Uint32Array(BUCKETS),
    newest: 0,
    goodSum: 0,
    badSum: 0,
  }
}

/** Counts one sample at `now`, monotonic milliseconds. */
export function addSample(window: SampleWindow, now: number, good: boolean): void {
  const at = roll(window, now)
  if (good) {
    window.good[at] = (window.good[at] as number) + 1
    window.goodSum += 1
  } else {
    window.bad[at] = (window.bad[at] as number) + 1
    window.badSum += 1
  }
}

/** What the last `spanMs` held, at most the window's own span; all of it where none is given. */
export function tally(window: SampleWindow, now: number, spanMs?: number): Tally {
  let at = roll(window, now)
  if (spanMs === undefined) return { good: window.goodSum, bad: window.badSum }
  let good = 0
  let bad = 0
  for (let left = Math.min(BUCKETS, Math.ceil(spanMs / window.bucketMs)); left > 0; left -= 1) {
    good += window.good[at] as number
    bad += window.bad[at] as number
    at = at === 0 ? BUCKETS - 1 : at - 1
  }
  return { good, bad }
}

/** Forgets every sample. */
export function emptyWindow(window: SampleWindow): void {
  window.good.fill(0)
  window.bad.fill(0)
  window.goodSum = 0
  window.badSum = 0
}

/** Drops what is older than the window and gives the place of the bucket of `now`. */
function roll(window: SampleWindow, now: number): number {
  const bucket = Math.floor(now / window.bucketMs)
  const { newest, good, bad } = window
  if (bucket > newest) {
    if (bucket - newest >= BUCKETS) emptyWindow(window)
    else {
      for (let old = newest + 1; old <= bucket; old += 1) {
        const at = old % BUCKETS
        window.goodSum -= good[at] as number
        window.badSum -= bad[at] as number
        good[at] = 0
        bad[at] = 0
      }
    }
    window.newest = bucket
  }
  return window.newest % BUCKETS
}
