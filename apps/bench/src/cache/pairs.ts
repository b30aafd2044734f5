import {
  auditPairs,
  byMargin,
  type HarnessEncoder,
  lookUpPairs,
  type PairedCounts,
  seeded,
} from '@switchyard/cache-semantic/evaluate'
import type { PairSet } from './data.ts'

/** One rule on a set of pairs. Rates are shares of all look-ups, `errorOfHits` of the hits. */
export interface PairRow extends PairedCounts {
  readonly set: string
  readonly policy: string
  readonly encoder: string
  readonly epsilon: number | undefined
  readonly threshold: number | undefined
  readonly hitRate: number
  readonly errorOfAll: number
  readonly errorOfHits: number
  readonly ceiling: number
}

/** GPTCache's own figures on its benchmark of 999 pairs, from its repository's documentation, by its similarity threshold. */
const PUBLISHED_PAIRS = 999
const PUBLISHED: readonly (PairedCounts & { readonly threshold: number })[] = [
  { threshold: 0.95, right: 425, wrong: 25, miss: 549 },
  { threshold: 0.9, right: 804, wrong: 77, miss: 118 },
  { threshold: 0.8, right: 904, wrong: 92, miss: 3 },
]

/** Margins by both views, from strict to loose. */
const MARGINS: readonly number[] = [0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03]

/** What a margin rule and the audited policy make of the pairs, beside what was published where they are as many. */
export async function pairRows<V>(
  { name, pairs }: PairSet,
  encoder: HarnessEncoder<V>,
  epsilons: readonly number[],
): Promise<readonly PairRow[]> {
  const row = (policy: string, counts: PairedCounts, epsilon?: number, threshold?: number, id = encoder.id): PairRow => {
    const hits = counts.right + counts.wrong
    return {
      set: name,
      policy,
      encoder: id,
      epsilon,
      threshold,
      hitRate: hits / pairs.length,
      errorOfAll: counts.wrong / pairs.length,
      errorOfHits: hits === 0 ? 0 : counts.wrong / hits,
      // Every look-up has its own stored text.
      ceiling: 1,
      right: counts.right,
      wrong: counts.wrong,
      miss: counts.miss,
    }
  }
  const rows: PairRow[] = []
  if (pairs.length === PUBLISHED_PAIRS)
    rows.push(...PUBLISHED.map(({ threshold, ...counts }) => row('gptcache-published', counts, undefined, threshold, 'onnx')))
  const lookups = await lookUpPairs(pairs, encoder)
  for (const margin of MARGINS) rows.push(row('margin', byMargin(lookups, margin, false), undefined, margin))
  for (const margin of MARGINS) rows.push(row('margin-with-vetoes', byMargin(lookups, margin, true), undefined, margin))
  for (const epsilon of epsilons) {
    const counts = await auditPairs(pairs, encoder, { epsilon, random: seeded(1) })
    rows.push(row('audited', counts, epsilon))
  }
  return rows
}
