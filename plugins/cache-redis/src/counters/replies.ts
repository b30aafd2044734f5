import type { CounterChange, CounterRow, ExpiredLease, Reservation } from '@switchyard/contract'

/** id, expiry, note and changes, as the script has them. */
export type ExpiredRow = readonly [id: string, expiredAt: string, note: string, changes: readonly string[]]
export type ExpiredReply = readonly ['expired', 'used' | 'empty', ...ExpiredRow[]]

/** What the reserve script says: `granted` and sums, or `refused`, key, sum before it, and next expiry or ''. */
export function reservationOf(reply: readonly string[], rows: readonly CounterRow[]): Reservation {
  if (reply[0] === 'granted') return { granted: true, sums: reply.slice(1).map(BigInt) }
  const [, at, sum, freesAt] = reply as [string, string, string, string]
  const { key, limit = 0n } = rows[Number(at)] as CounterRow
  const left = limit - BigInt(sum)
  return { granted: false, key, available: left > 0n ? left : 0n, freesAt: freesAt === '' ? undefined : Number(freesAt) }
}

/** Triples of key, sum before and sum after, from `from` on. */
export function changesOf(reply: readonly string[], from: number): CounterChange[] {
  const changes: CounterChange[] = []
  for (let at = from; at < reply.length; at += 3) {
    changes.push({ key: reply[at] as string, before: BigInt(reply[at + 1] as string), after: BigInt(reply[at + 2] as string) })
  }
  return changes
}

/** A lease of the list of expired ones. */
export function expiredOf([id, expiredAt, note, changes]: ExpiredRow): ExpiredLease {
  return { id, expiredAt: Number(expiredAt), note: note === '' ? undefined : note.slice(1), changes: changesOf(changes, 0) }
}
