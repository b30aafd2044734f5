import type { OutcomeSet } from './outcomes.ts'
import { placeOf } from './seeded.ts'
import type { Split } from './strategies.ts'

/** The halves that the rows' `split` states; where they state none, those that `randomHalf` deals for seed 0. */
export function statedHalf(set: OutcomeSet): Split {
  const train: number[] = []
  const test: number[] = []
  set.rows.forEach(({ split }, row) => void (split === 'train' ? train : split === 'test' ? test : undefined)?.push(row))
  return train.length > 0 && test.length > 0 ? { train, test } : randomHalf(set, 0)
}

/** Two halves by chance, the same for the same seed. Equal prompts go to the same half, so that none is tested on its twin. */
export function randomHalf({ rows }: OutcomeSet, seed: number): Split {
  const train: number[] = []
  const test: number[] = []
  rows.forEach(({ prompt }, row) => void (placeOf(prompt, seed + 0x5eed) < 0.5 ? train : test).push(row))
  return { train, test }
}
