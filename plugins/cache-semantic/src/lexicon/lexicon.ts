/** Words that decide whether two questions may share an answer, of one language, as they are written down. */
export interface LexiconSource {
  /** BCP 47 tag. */
  readonly language: string
  /** Words so frequent that a sentence rarely lacks them; they tell the language. */
  readonly frequent: string
  readonly negations: string
  /** Question words. */
  readonly askers: string
  /** Words that point at something said before, and what may stand beside them without saying more. */
  readonly pointing: string
  /** Number words; those that stand for anything (`one`) are left out. */
  readonly numbers: Readonly<Record<string, number>>
  /** Words that name a day or a month, with what they stand for: `monday` is `day:1`. */
  readonly dates: Readonly<Record<string, string>>
  /** Of those, words that mean something else too; they count beside a digit or one of `beforeDate` only. */
  readonly ambiguousDates: string
  readonly beforeDate: string
  /** Units of money, with their ISO 4217 code. */
  readonly currencies: Readonly<Record<string, string>>
  /** Other units, with the sign they are compared by. */
  readonly units: Readonly<Record<string, string>>
  /** The words before an origin, and before a destination. */
  readonly from: string
  readonly to: string
  /** Two words to a line. */
  readonly opposites: string
  /** Endings that are cut off to compare words, longest first. */
  readonly endings: string
}

/** A lexicon made ready. */
export interface Lexicon {
  readonly language: string
  readonly frequent: ReadonlySet<string>
  readonly negations: ReadonlySet<string>
  readonly askers: ReadonlySet<string>
  readonly pointing: ReadonlySet<string>
  readonly numbers: ReadonlyMap<string, number>
  readonly dates: ReadonlyMap<string, string>
  readonly ambiguousDates: ReadonlySet<string>
  readonly beforeDate: ReadonlySet<string>
  readonly currencies: ReadonlyMap<string, string>
  readonly units: ReadonlyMap<string, string>
  readonly from: ReadonlySet<string>
  readonly to: ReadonlySet<string>
  /** Each word with its opposites. */
  readonly opposites: ReadonlyMap<string, ReadonlySet<string>>
  readonly endings: readonly string[]
}

/** Makes a lexicon ready. */
export function lexiconOf(source: LexiconSource): Lexicon {
  return {
    language: source.language,
    frequent: listed(source.frequent),
    negations: listed(source.negations),
    askers: listed(source.askers),
    pointing: listed(source.pointing),
    numbers: new Map(Object.entries(source.numbers)),
    dates: new Map(Object.entries(source.dates)),
    ambiguousDates: listed(source.ambiguousDates),
    beforeDate: listed(source.beforeDate),
    currencies: new Map(Object.entries(source.currencies)),
    units: new Map(Object.entries(source.units)),
    from: listed(source.from),
    to: listed(source.to),
    opposites: oppositesOf(source.opposites),
    endings: [...listed(source.endings)],
  }
}

const SHORTEST_STEM = 3

/** A word without the ending that its language puts on words of the same sense; at least three letters stay. */
export function stemOf(word: string, { endings }: Lexicon): string {
  if (word.length <= SHORTEST_STEM + 1) return word
  for (const ending of endings)
    if (word.length - ending.length >= SHORTEST_STEM && word.endsWith(ending)) return word.slice(0, -ending.length)
  return word
}

function listed(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ''))
}

function oppositesOf(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [one, other] = line.trim().split(' ')
    if (one === undefined || other === undefined) continue
    for (const [word, opposite] of [
      [one, other],
      [other, one],
    ] as const) {
      const known = found.get(word)
      if (known === undefined) found.set(word, new Set([opposite]))
      else known.add(opposite)
    }
  }
  return found
}
