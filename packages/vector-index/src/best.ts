/** The best of what was offered, at most `count`. */
export interface Best<T> {
  /** What an offer must pass to be kept: -infinity as long as there is room. */
  readonly least: number
  offer(score: number, value: T): void
  /** Looks through all that are kept. */
  has(value: T): boolean
  /** Best first; equal ones in any order. */
  sorted(): { readonly score: number; readonly value: T }[]
}

/** Keeps a heap whose first is the worst that is kept. */
export function bestOf<T>(count: number): Best<T> {
  const scores: number[] = []
  const values: T[] = []

  function sinkTo(size: number, score: number, value: T): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && (scores[child + 1] as number) < (scores[child] as number)) child += 1
      if ((scores[child] as number) >= score) break
      scores[at] = scores[child] as number
      values[at] = values[child] as T
      at = child
    }
    scores[at] = score
    values[at] = value
  }

  function rise(score: number, value: T): void {
    let at = scores.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((scores[parent] as number) <= score) break
      scores[at] = scores[parent] as number
      values[at] = values[parent] as T
      at = parent
    }
    scores[at] = score
    values[at] = value
  }

  return {
    get least() {
      return scores.length < count ? Number.NEGATIVE_INFINITY : (scores[0] as number)
    },
    offer(score, value) {
      if (scores.length < count) rise(score, value)
      else if (score > (scores[0] as number)) sinkTo(count, score, value)
    },
    has: (value) => values.includes(value),
    sorted: () => scores.map((score, at) => ({ score, value: values[at] as T })).sort((a, b) => b.score - a.score),
  }
}
