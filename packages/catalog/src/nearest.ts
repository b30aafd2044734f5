/** Finds names that look alike. */
export interface Neighbours {
  /** Up to `count` of the names, most alike first. */
  nearest(name: string, count: number): readonly string[]
}

/** A name longer than this is compared by its beginning, so that a hostile one costs no more than another. */
const LONGEST = 200
/** Words of 32 bits in a name's signature. */
const WORDS = 4
/** Names that pass the coarse look. */
const SHORTLIST = 64

/**
 * Likeness in two steps: a signature of the pairs of letters in a name, one bit each, picks a short list out of thousands in well under
 * a millisecond; shared trigrams (Dice's coefficient) order it. Signatures are made at the first question.
 */
export function neighbours(names: readonly string[]): Neighbours {
  let signatures: Int32Array | undefined
  return {
    nearest(name, count) {
      signatures ??= signaturesOf(names)
      const asked = name.slice(0, LONGEST).toLowerCase()
      const own = signaturesOf([asked])
      const grams = trigrams(asked)
      const scored = shortlist(signatures, own, names.length).map((at) => ({
        at,
        score: dice(grams, trigrams(names[at] as string)),
      }))
      const alike = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score || a.at - b.at)
      return alike.slice(0, count).map(({ at }) => names[at] as string)
    },
  }
}

function signaturesOf(names: readonly string[]): Int32Array {
  const signatures = new Int32Array(names.length * WORDS)
  for (let at = 0; at < names.length; at++) {
    const name = (names[at] as string).toLowerCase()
    let before = 0
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i)
      const bit = Math.imul(before * 31 + code, 0x9e3779b1) >>> 25
      const word = at * WORDS + (bit >>> 5)
      signatures[word] = (signatures[word] as number) | (1 << (bit & 31))
      before = code
    }
  }
  return signatures
}

/** Positions of the names that share most pairs, by counting sort over scores of 0 to 1000. */
function shortlist(all: Int32Array, own: Int32Array, count: number): readonly number[] {
  const scores = new Uint16Array(count)
  const counts = new Uint32Array(1001)
  const size = bits(own, 0)
  for (let at = 0; at < count; at++) {
    let shared = 0
    let other = 0
    for (let word = 0; word < WORDS; word++) {
      const value = all[at * WORDS + word] as number
      shared += ones(value & (own[word] as number))
      other += ones(value)
    }
    const score = size + other === 0 ? 0 : Math.round((2000 * shared) / (size + other))
    scores[at] = score
    counts[score] = (counts[score] as number) + 1
  }
  let least = 1000
  for (let left = SHORTLIST; least > 1; least--) {
    left -= counts[least] as number
    if (left <= 0) break
  }
  const found: number[] = []
  for (let at = 0; at < count && found.length < SHORTLIST * 4; at++) if ((scores[at] as number) >= least) found.push(at)
  return found
}

function bits(words: Int32Array, from: number): number {
  let sum = 0
  for (let word = from; word < from + WORDS; word++) sum += ones(words[word] as number)
  return sum
}

/** Bits set in a word of 32. */
function ones(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555)
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333)
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function trigrams(name: string): ReadonlySet<string> {
  const padded = `^^${name.toLowerCase()}$`
  const grams = new Set<string>()
  for (let i = 0; i + 3 <= padded.length; i++) grams.add(padded.slice(i, i + 3))
  return grams
}

function dice(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return (2 * a.intersection(b).size) / (a.size + b.size)
}
