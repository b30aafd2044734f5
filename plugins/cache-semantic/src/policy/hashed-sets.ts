const OFFSET = 0x811c9dc5
const PRIME = 0x01000193
const MASK = 0x3fff_ffff

/** A word as a number of 30 bits (FNV-1a); two words share one about once in a billion pairs. */
export function hashOf(word: string): number {
  let hash = OFFSET
  for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), PRIME)
  return (hash ^ (hash >>> 15)) & MASK
}

/** Two hashes in their order as one. */
export function hashOfPair(one: number, other: number): number {
  const mixed = Math.imul(Math.imul(one ^ OFFSET, PRIME) ^ other, 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) & MASK
}

/** Distinct numbers, ascending: a set that is compared quickly. */
export function setOf(hashes: readonly number[]): Int32Array {
  const sorted = Int32Array.from(hashes).sort()
  let size = 0
  for (let at = 0; at < sorted.length; at += 1) {
    if (at > 0 && sorted[at] === sorted[at - 1]) continue
    sorted[size] = sorted[at] as number
    size += 1
  }
  return sorted.slice(0, size)
}

/** Members of both by members of either, in [0, 1]; 0 where both are empty. */
export function jaccard(one: Int32Array, other: Int32Array): number {
  let shared = 0
  let at = 0
  let to = 0
  while (at < one.length && to < other.length) {
    const mine = one[at] as number
    const its = other[to] as number
    if (mine === its) shared += 1
    if (mine <= its) at += 1
    if (its <= mine) to += 1
  }
  const either = one.length + other.length - shared
  return either === 0 ? 0 : shared / either
}
