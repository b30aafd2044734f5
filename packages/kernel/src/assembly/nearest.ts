/** Number of single-letter edits and swaps of neighbours that turn `from` into `to` (optimal string alignment). */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1)
      current[column] = best
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/** The candidate a person most likely meant, letter case aside; `undefined` when none is near enough to be worth naming. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const found = distance(name.toLowerCase(), candidate.toLowerCase())
    if (found < bestDistance && found < Math.max(name.length, candidate.length)) {
      best = candidate
      bestDistance = found
    }
  }
  return best
}
