import type { Import } from '../feeds/feed.ts'

/** More bad rows than this share refuse a feed. */
const MOST_BAD = 0.02
/** A feed that lost more than this share of its entries is refused, over all or at one provider of some size. */
const MOST_LOST = 0.3
/** Providers with fewer entries come and go. */
const SIZABLE = 20

/**
 * Why a feed must not be taken, or undefined where it may: nothing in it, above 2 % bad rows, or over 30 % fewer entries than its
 * last good content, overall or at a provider that had 20 or more. The last good content then stays in force.
 */
export function feedRefusal(next: Import, lastGood?: Import): string | undefined {
  if (next.rows.length === 0) return 'no usable row'
  const bad = next.rejected.length / next.seen
  if (bad > MOST_BAD) return `${next.rejected.length} of ${next.seen} rows are bad: more than ${MOST_BAD * 100} %`
  if (lastGood === undefined) return undefined
  if (shrunk(next.rows.length, lastGood.rows.length)) {
    return `${next.rows.length} entries where there were ${lastGood.rows.length}: more than ${MOST_LOST * 100} % fewer`
  }
  const now = countsOf(next)
  for (const [provider, before] of countsOf(lastGood)) {
    const left = now.get(provider) ?? 0
    if (before >= SIZABLE && shrunk(left, before)) return `${provider} has ${left} entries where it had ${before}`
  }
  return undefined
}

function shrunk(now: number, before: number): boolean {
  return now < before * (1 - MOST_LOST)
}

function countsOf({ rows }: Import): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { provider } of rows) counts.set(provider, (counts.get(provider) ?? 0) + 1)
  return counts
}
