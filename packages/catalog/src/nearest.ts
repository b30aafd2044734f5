/** Finds names that look alike. Its index is built at the first question. */
export interface Neighbours {
  /** Up to `count` of the names, most alike first. */
  nearest(name: string, count: number): readonly string[]
}

/** A name longer than this is compared by its beginning, so that a hostile one costs no more than another. */
const LONGEST = 200

/** Likeness by shared trigrams (Dice's coefficient): cheap over 11,000 names since only those that share any are looked at. */
export function neighbours(names: readonly string[]): Neighbours {
  let index: Map<string, number[]> | undefined
  const sizes: number[] = []
  const build = (): Map<string, number[]> => {
    const made = new Map<string, number[]>()
    for (const [at, name] of names.entries()) {
      const grams = trigrams(name)
      sizes.push(grams.size)
      for (const gram of grams) {
        const list = made.get(gram)
        if (list === undefined) made.set(gram, [at])
        else list.push(at)
      }
    }
    return made
  }
  return {
    nearest(name, count) {
      index ??= build()
      const grams = trigrams(name.slice(0, LONGEST))
      const hits = new Uint16Array(names.length)
      for (const gram of grams) for (const at of index.get(gram) ?? []) hits[at] = (hits[at] as number) + 1
      const best: { readonly at: number; readonly score: number }[] = []
      for (const [at, shared] of hits.entries()) {
        if (shared === 0) continue
        const score = (2 * shared) / (grams.size + (sizes[at] as number))
        if (best.length === count && score <= (best[count - 1] as { score: number }).score) continue
        const place = best.findIndex((other) => score > other.score)
        best.splice(place === -1 ? best.length : place, 0, { at, score })
        if (best.length > count) best.pop()
      }
      return best.map(({ at }) => names[at] as string)
    },
  }
}

function trigrams(name: string): ReadonlySet<string> {
  const padded = `^^${name.toLowerCase()}$`
  const grams = new Set<string>()
  for (let i = 0; i + 3 <= padded.length; i++) grams.add(padded.slice(i, i + 3))
  return grams
}
