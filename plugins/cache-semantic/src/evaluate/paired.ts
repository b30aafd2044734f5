import { questionOf } from '../policy/question.ts'
import { rank } from '../policy/ranking.ts'
import { termWeights } from '../policy/term-weights.ts'
import { vetoOf } from '../policy/vetoes.ts'
import { cachedStream, RETRIEVED, type ReplayOptions } from './cached-stream.ts'
import { type HarnessEncoder, prepare } from './prepared.ts'
import { countedOver } from './tally.ts'

/** A text that is stored, and one that asks for its answer in other words. */
export interface Pair {
  readonly origin: string
  readonly similar: string
}

/** How a benchmark of pairs came out; the three add up to the pairs. */
export interface PairedCounts {
  readonly right: number
  readonly wrong: number
  readonly miss: number
}

/** One look-up: what was found, by how much it stands above the best other text, and whether it was the pair's own. */
export interface PairedLookup {
  /** Cosine by the encoder. */
  readonly similarity: number
  /** By both views. */
  readonly margin: number
  readonly vetoed: boolean
  readonly right: boolean
}

const MOST_TERMS = 50_000

/** Stores every origin, then looks every other text up. An origin that repeats an earlier one is the same answer. */
export async function lookUpPairs<V>(pairs: readonly Pair[], encoder: HarnessEncoder<V>): Promise<readonly PairedLookup[]> {
  const index = encoder.index()
  const weights = termWeights(MOST_TERMS)
  const groups = new Map<string, { readonly founder: ReturnType<typeof questionOf>; good: number; bad: number }>()
  const stored = pairs.map(({ origin }) => {
    const question = questionOf(origin)
    weights.add(question.terms)
    const group = groups.get(origin) ?? { founder: question, good: 1, bad: 1 }
    groups.set(origin, group)
    return { question, group, text: origin }
  })
  for (const vector of await encoder.encode(pairs.map(({ origin }) => origin))) index.add(vector)
  const asked = await encoder.encode(pairs.map(({ similar }) => similar))
  return pairs.map(({ origin, similar }, at) => {
    const question = questionOf(similar)
    const neighbours = index.nearest(asked[at] as V, RETRIEVED).map(({ id, similarity }) => {
      const { question: its, group } = stored[id] as (typeof stored)[number]
      return { id, similarity, question: its, group }
    })
    const ranked = rank(question, neighbours, weights)
    const [best] = ranked
    if (best === undefined) return { similarity: 0, margin: 0, vetoed: false, right: false }
    const other = ranked.find(({ group }) => group !== best.group)
    return {
      similarity: best.similarity,
      margin: best.blended - (other?.blended ?? 0),
      vetoed: vetoOf(question, best.question) !== undefined,
      right: best.group.founder.text === origin,
    }
  })
}

/**
 * What the audited policy makes of the benchmark: every origin stored, none looked up, then every other text in the order given, with a
 * judge and audits that read the labels. It starts knowing nothing, so that its first look-ups serve nothing.
 */
export async function auditPairs<V>(
  pairs: readonly Pair[],
  encoder: HarnessEncoder<V>,
  options: Omit<ReplayOptions<V>, 'index'>,
): Promise<PairedCounts> {
  const counted = countedOver(pairs.length)
  const level = cachedStream({ ...options, index: encoder.index() }, counted)
  const origins = new Set(pairs.map(({ origin }) => origin))
  for (const request of await prepare(
    [...origins].map((text) => ({ text, label: text })),
    encoder,
  ))
    level.insert(request)
  const asked = await prepare(
    pairs.map(({ origin, similar }) => ({ text: similar, label: origin })),
    encoder,
  )
  let right = 0
  let wrong = 0
  for (const [at, request] of asked.entries()) {
    const { label } = level.look(at, request)
    if (label === undefined) continue
    if (label === request.label) right += 1
    else wrong += 1
  }
  return { right, wrong, miss: pairs.length - right - wrong }
}

/** Serves what stands at least so far above the best other text. */
export function byMargin(lookups: readonly PairedLookup[], margin: number, vetoes: boolean): PairedCounts {
  return counted(lookups, (one) => one.margin >= margin && !(vetoes && one.vetoed))
}

function counted(lookups: readonly PairedLookup[], serves: (one: PairedLookup) => boolean): PairedCounts {
  let right = 0
  let wrong = 0
  for (const one of lookups) {
    if (!serves(one)) continue
    if (one.right) right += 1
    else wrong += 1
  }
  return { right, wrong, miss: lookups.length - right - wrong }
}
