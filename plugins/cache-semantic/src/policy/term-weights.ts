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

/** Counts at most `maxTerms` terms; once full all counts are halved, and what falls below one is forgotten. */
export function termWeights(maxTerms: number, saved?: SavedTermWeights): TermWeights {
  const counts = new Map<number, number>(saved?.counts)
  let questions = saved?.questions ?? 0
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
    },
    of: (term) => Math.log((1 + questions) / (1 + (counts.get(term) ?? 0))) + 1,
    save: () => ({ questions, counts: [...counts] }),
  }
}
