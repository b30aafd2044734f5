const MOST_TAGS = 16
const LONGEST_NAME = 64
const LONGEST_VALUE = 256
const NO_NAMES: readonly string[] = Object.freeze([])

/**
 * A request's metadata as the ledger keeps it: JSON of up to 16 tags, values as text, cut at 256 characters; null without any. What is
 * neither text, number nor boolean is no tag. Those of `first`, which budgets count by, are kept before all others.
 */
export function tagsJson(metadata: Readonly<Record<string, unknown>>, first: readonly string[] = NO_NAMES): string | null {
  let tags: Record<string, string> | undefined
  let count = 0
  const keep = (name: string): void => {
    const value = metadata[name]
    const text =
      typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
    if (text === '' || name === '' || name.length > LONGEST_NAME || name === '__proto__') return
    tags ??= {}
    const own = plain(name)
    if (Object.hasOwn(tags, own)) return
    tags[own] = kept(text)
    count += 1
  }
  for (const name of first) if (Object.hasOwn(metadata, name)) keep(name)
  for (const name in metadata) {
    if (count >= MOST_TAGS) break
    keep(name)
  }
  return tags === undefined ? null : JSON.stringify(tags)
}

/** A tag's or a session's value as the ledger keeps it: budgets count by the same, or they could not be counted from it again. */
export function kept(text: string): string {
  return plain(text.length > LONGEST_VALUE ? text.slice(0, LONGEST_VALUE) : text)
}

/** Text that every database takes: well formed, without the character that PostgreSQL has no place for. */
export function plain(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed()
  return formed.includes('\u0000') ? formed.replaceAll('\u0000', '') : formed
}
