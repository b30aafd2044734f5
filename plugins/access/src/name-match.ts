/** Names whose answer is kept, for each list. */
const MAX_KEPT = 1_000

/** Whether a name stands in a list, or fits one of its patterns, in which `*` stands for any text. Answers are kept, a bounded number. */
export function matcherOf(list: readonly string[]): (name: string) => boolean {
  const exact = new Set(list.filter((entry) => !entry.includes('*')))
  const patterns = list.filter((entry) => entry.includes('*')).map((entry) => entry.split('*'))
  if (patterns.length === 0) return (name) => exact.has(name)
  const kept = new Map<string, boolean>()
  return (name) => {
    const before = kept.get(name)
    if (before !== undefined) return before
    const fits = exact.has(name) || patterns.some((pieces) => fitsPieces(name, pieces))
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(name, fits)
    return fits
  }
}

/** The first piece begins the name, the last ends it, and those between stand there in order: one pass, no going back. */
function fitsPieces(name: string, pieces: readonly string[]): boolean {
  const first = pieces[0] as string
  const last = pieces.at(-1) as string
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
