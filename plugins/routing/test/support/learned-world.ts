import { type OutcomeSet, parseDatasetSpec, parseOutcomes, seeded } from '../../src/learned/index.ts'

/** A made-up world: two kinds of prompts, a strong model, and two cheap ones that are right by kind as often as is said. */
export interface World {
  readonly rows?: number
  readonly seed?: number
  /** How often the strong model is right. */
  readonly strong?: number
  /** How often a cheap model is right on easy and on hard prompts. */
  readonly cheap?: readonly [number, number]
  readonly answer?: 'label' | null
  /** Share of hard prompts. */
  readonly hard?: number
}

const EASY = ['apple', 'bread', 'cheese', 'garden', 'kitchen', 'butter', 'window', 'summer', 'table', 'orange']
const HARD = ['tensor', 'lemma', 'functor', 'manifold', 'integral', 'quotient', 'spectrum', 'kernel', 'operator', 'measure']

/** Builds a world's outcomes. Prices: strong 10 USD, the cheap ones 0.1 and 0.12 USD a million tokens. */
export function world({
  rows = 600,
  seed = 1,
  strong = 0.9,
  cheap = [0.9, 0.4],
  answer = null,
  hard = 0.5,
}: World = {}): OutcomeSet {
  const chance = seeded(seed)
  const spec = parseDatasetSpec('world', {
    answer,
    reference: 'strong',
    arms: ['strong', 'cheap-a', 'cheap-b'],
    out: 20,
    prices: { strong: [10e6, 10e6], 'cheap-a': [100_000, 100_000], 'cheap-b': [120_000, 120_000] },
  })
  const lines = Array.from({ length: rows }, (_, row) => {
    const isHard = chance() < hard
    const words = Array.from({ length: 8 }, () => (isHard ? HARD : EASY)[Math.floor(chance() * 10)])
    const right = (rate: number): readonly unknown[] => {
      const good = chance() < rate
      const said = good ? 'A' : 'BCDEFG'[Math.floor(chance() * 6)]
      return answer === null ? [Number(good), 20] : [Number(good), 20, said]
    }
    const rate = cheap[isHard ? 1 : 0]
    return JSON.stringify({
      id: `r${row}`,
      prompt: `${words.join(' ')} ${row}`,
      split: row % 2 === 0 ? 'train' : 'test',
      m: { strong: right(strong), 'cheap-a': right(rate), 'cheap-b': right(rate) },
    })
  })
  return parseOutcomes('world', spec, lines)
}

/** Places of all rows of a set. */
export function allRows({ rows }: OutcomeSet): readonly number[] {
  return rows.map((_, row) => row)
}
