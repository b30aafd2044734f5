/** Counts of a replay, or of a part of one. */
export interface Tally {
  requests: number
  /** Served without an upstream call, by level; `l1` and `l2` are exact. */
  l1: number
  l2: number
  l3: number
  /** Of those, with an answer that was not right; an error that L1 or L2 repeats counts each time. */
  wrong: number
  audits: number
  /** Times that the judge was asked. */
  judged: number
  /** Look-ups whose nearest group was kept off by a veto. */
  vetoed: number
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { requests: 0, l1: 0, l2: 0, l3: 0, wrong: 0, audits: 0, judged: 0, vetoed: 0 }
}

/** A tally of a whole stream and one of its last quarter, counted together. */
export interface Counted {
  readonly all: Tally
  readonly last: Tally
  count(at: number, what: keyof Tally): void
}

/** Counts over a stream of `length` requests. */
export function countedOver(length: number): Counted {
  const all = emptyTally()
  const last = emptyTally()
  const lastFrom = Math.floor(length * 0.75)
  return {
    all,
    last,
    count(at, what) {
      all[what] += 1
      if (at >= lastFrom) last[what] += 1
    },
  }
}

/** How often a cache answered and how often wrongly: shares in [0, 1]. Never one without the others. */
export interface Rates {
  readonly hitRate: number
  readonly errorOfAll: number
  readonly errorOfHits: number
  /** Of all requests: served and sent upstream too; asked of the judge. */
  readonly auditShare: number
  readonly judgeShare: number
}

/** The rates of a tally. */
export function ratesOf({ requests, l1, l2, l3, wrong, audits, judged }: Tally): Rates {
  const hits = l1 + l2 + l3
  return {
    hitRate: share(hits, requests),
    errorOfAll: share(wrong, requests),
    errorOfHits: share(wrong, hits),
    auditShare: share(audits, requests),
    judgeShare: share(judged, requests),
  }
}

/** What an oracle would hit: 1 - distinct answers / requests. */
export function ceilingOf(labels: Iterable<string>): number {
  let requests = 0
  const distinct = new Set<string>()
  for (const label of labels) {
    requests += 1
    distinct.add(label)
  }
  return requests === 0 ? 0 : 1 - distinct.size / requests
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
