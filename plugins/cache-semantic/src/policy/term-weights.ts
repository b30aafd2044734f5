/** How telling each term is, by how few of the questions seen so far hold it. */
export interface TermWeights {
  /** Counts one question's terms, by their hashes. */
  add(terms: Int32Array): void
  /** Inverse document frequency, smoothed: log((1 + questions) / (1 + questions with the term)) + 1. */
  of(term: number): number
  save(): SavedTermWeights
}

/** Counts of terms as they are stored. */
export interface SavedTermWeights {
  readonly questions: number
  readonly counts: readonly (readonly [number, number])[]
}

const LOGS = Float64Array.from({ length: 4_096 }, (_, count) => Math.log1p(count))

/** Counts at most `maxTerms` terms; once full all counts are halved, and what falls below one is forgotten. */
export function termWeights(maxTerms: number, saved?: SavedTermWeights): TermWeights {
  const counts = new Map<number, number>(saved?.counts)
  let questions = saved?.questions ?? 0
  let base = Math.log1p(questions) + 1
  const age = (): void => {
    questions = Math.ceil(questions / 2)
    for (const [term, count] of counts) {
      if (count < 2) counts.delete(term)
      else counts.set(term, Math.floor(count / 2))
    }
  }
  return {
    add(terms) {
      questions += 1
      for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
      if (counts.size > maxTerms) age()
      base = Math.log1p(questions) + 1
    },
    of(term) {
      const count = counts.get(term) ?? 0
      return base - (count < LOGS.length ? (LOGS[count] as number) : Math.log1p(count))
    },
    save: () => ({ questions, counts: [...counts] }),
  }
}
