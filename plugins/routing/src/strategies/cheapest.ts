import { ascendingByName, type Ranker } from './strategy.ts'

/** Least expected cost first, by what answers have been costing; unpriced targets last, since an unknown price is never 0. */
export const cheapest: Ranker = (_call, candidates) =>
  ascendingByName(candidates, ({ expectedCost }) => expectedCost ?? Number.POSITIVE_INFINITY)
