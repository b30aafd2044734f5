/** Id of an entry of the log, `1764000000000-3`: milliseconds of the server and a number within them. Ids only grow. */
export type LogId = string

/** Older than every entry. */
export const FIRST_ID: LogId = '0-0'

/** Whether the first of two ids is the older one. */
export function isOlder(one: LogId, other: LogId): boolean {
  if (one === other) return false
  const [dash, otherDash] = [one.indexOf('-'), other.indexOf('-')]
  const difference = Number(one.slice(0, dash)) - Number(other.slice(0, otherDash))
  if (difference !== 0) return difference < 0
  return Number(one.slice(dash + 1)) < Number(other.slice(otherDash + 1))
}

/** The newer of two ids. */
export function newer(one: LogId, other: LogId): LogId {
  return isOlder(one, other) ? other : one
}
