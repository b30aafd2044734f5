const MAX_CHARS = 6_000
const BUCKET_BITS = 20

/** The number of buckets that terms are hashed into; a term's number is below it. */
export const TERM_BUCKETS: number = 1 << BUCKET_BITS

/** Terms of a text by hash number with their counts: its words and pairs of neighbouring words, of the first 6,000 characters. */
export function termsOf(text: string): Map<number, number> {
  const counts = new Map<number, number>()
  const end = Math.min(text.length, MAX_CHARS)
  let hash = 0
  let inWord = false
  let previous = 0
  for (let at = 0; at <= end; at += 1) {
    const code = at < end ? letter(text.charCodeAt(at)) : 0
    if (code !== 0) {
      hash = Math.imul((inWord ? hash : 0x811c9dc5) ^ code, 0x01000193)
      inWord = true
    } else if (inWord) {
      inWord = false
      add(counts, mixed(hash))
      if (previous !== 0) add(counts, mixed(Math.imul(previous, 0x9e3779b1) ^ hash))
      previous = hash
    }
  }
  return counts
}

function letter(code: number): number {
  if (code >= 97 && code <= 122) return code
  if (code >= 65 && code <= 90) return code + 32
  if ((code >= 48 && code <= 57) || code > 127) return code
  return 0
}

function mixed(hash: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (spread ^ (spread >>> 13)) >>> (32 - BUCKET_BITS)
}

function add(counts: Map<number, number>, term: number): void {
  counts.set(term, (counts.get(term) ?? 0) + 1)
}
