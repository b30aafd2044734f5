const MOST_TAGS = 16
const LONGEST_NAME = 64
const LONGEST_VALUE = 256

/**
 * A request's metadata as the ledger keeps it: JSON of up to 16 tags, values as text, cut at 256 characters; null without any. What is
 * neither text, number nor boolean is no tag.
 */
export function tagsJson(metadata: Readonly<Record<string, unknown>>): string | null {
  let tags: Record<string, string> | undefined
  let count = 0
  for (const name in metadata) {
    const value = metadata[name]
    const text =
      typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
    if (text === '' || name === '' || name.length > LONGEST_NAME || name === '__proto__') continue
    tags ??= {}
    tags[plain(name)] = plain(text.length > LONGEST_VALUE ? text.slice(0, LONGEST_VALUE) : text)
    count += 1
    if (count === MOST_TAGS) break
  }
  return tags === undefined ? null : JSON.stringify(tags)
}

/** Text that every database takes: well formed, without the character that PostgreSQL has no place for. */
export function plain(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed()
  return formed.includes('\u0000') ? formed.replaceAll('\u0000', '') : formed
}
