import { namePattern } from '@switchyard/contract'

/** Names whose answer is kept, for each list, and how long they may be: whoever calls thinks them up. */
const MAX_KEPT = 1_000
const MAX_KEPT_LENGTH = 200
/** What could mean another name to whoever puts this one into a URL. */
const ODD = /(?:^|\/)\.{1,2}(?:\/|$)|[\\?#%\p{Cc}]/u

const matchers = new WeakMap<readonly string[], (name: string) => boolean>()

/** Whether a list of a principal's scopes allows a name. @see matcherOf */
export function allows(list: readonly string[], name: string): boolean {
  if (allowsAny(list)) return true
  let matcher = matchers.get(list)
  if (matcher === undefined) {
    matcher = matcherOf(list)
    matchers.set(list, matcher)
  }
  return matcher(name)
}

/** Whether a list of a principal's scopes is `['*']`, which allows whatever there is. */
export function allowsAny(list: readonly string[]): boolean {
  return list.length === 1 && list[0] === '*'
}

/**
 * Whether a name stands in a list, or fits one of its patterns, in which `*` stands for any text, but never for `.` and `..` between slashes or
 * for characters that have a meaning in URLs. Answers are kept, a bounded number.
 */
export function matcherOf(list: readonly string[]): (name: string) => boolean {
  const exact = new Set(list.filter((entry) => !entry.includes('*')))
  const patterns = list.filter((entry) => entry.includes('*')).map(namePattern)
  if (patterns.length === 0) return (name) => exact.has(name)
  const kept = new Map<string, boolean>()
  return (name) => {
    const before = kept.get(name)
    if (before !== undefined) return before
    const fits = exact.has(name) || (!ODD.test(name) && patterns.some((one) => one(name)))
    if (name.length > MAX_KEPT_LENGTH) return fits
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(name, fits)
    return fits
  }
}
