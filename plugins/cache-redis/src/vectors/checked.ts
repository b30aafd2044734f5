import { SwitchyardError, type VectorItem } from '@switchyard/contract'
import { type Checks, checks, type StoredVector } from '@switchyard/vector-index'

/** How long Redis keeps a partition beyond the last expiry, which readers judge by their own clocks. */
const SLACK_MS = 60_000
/** Beyond it Redis's own arithmetic ends; such a partition stays for as long as one that never expires. */
const LONGEST_MS = 1e14
/** Items of one command, and of one event. */
export const AT_ONCE = 200

/** What refuses what callers give. */
export function refuse(code: 'INVALID_REQUEST' | 'TOO_LARGE', message: string): SwitchyardError {
  return new SwitchyardError(code, `redis: ${message}`)
}

export const check: Checks = checks(refuse)

/** A vector of another length than those of its partition. */
export function otherLength(there: string, given: number | undefined): SwitchyardError {
  return refuse(
    'INVALID_REQUEST',
    `vectors of this partition have ${there} numbers, not ${given}; give each encoder partitions of its own`,
  )
}

/** Items as they are to be stored: copies, as callers may change theirs, and of one id the last. Throws as the port says. */
export function checkedItems(partition: string, given: readonly VectorItem[]): readonly StoredVector[] {
  check.partition(partition)
  check.items(given, undefined)
  checkText([partition, ...given.map(({ id }) => id)])
  return [...new Map(given.map((item) => [item.id, copyOf(item)])).values()]
}

/** Ids of a partition. Throws as the port says. */
export function checkedIds(partition: string, ids: readonly string[]): readonly string[] {
  check.partition(partition)
  check.ids(ids)
  checkText([partition, ...ids])
  return [...ids]
}

/** Milliseconds that a partition with these items is to live at least; -1 = for ever. */
export function livesMs(items: readonly StoredVector[], now: number): number {
  const last = Math.max(0, ...items.map(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt - now))
  return last + SLACK_MS < LONGEST_MS ? Math.ceil(last) + SLACK_MS : -1
}

/** Text that UTF-8 cannot tell apart would be one name. */
function checkText(texts: readonly string[]): void {
  if (texts.every((text) => text.isWellFormed())) return
  throw refuse('INVALID_REQUEST', 'partitions and ids must be well-formed text; one has half a surrogate pair')
}

function copyOf({ id, vector, expiresAt, payload }: VectorItem): StoredVector {
  return {
    id,
    vector: vector.slice(),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(payload === undefined ? {} : { payload: new Uint8Array(payload) }),
  }
}
