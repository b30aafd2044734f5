import type { Plan } from '@switchyard/cache'
import { type Question, questionOf, refusalOf, sparseNgrams, vetoOf } from '@switchyard/cache-semantic'
import {
  type CachedStream,
  cachedStream,
  countedOver,
  type Prepared,
  type Rates,
  ratesOf,
  seeded,
} from '@switchyard/cache-semantic/evaluate'
import type { LoggedRequest } from './log-line.ts'
import { type Placed, partitionedIndex } from './partitioned-index.ts'
import { labelOf, shortened } from './repeats.ts'

/** A request as the likeness level sees it. */
export interface Alike {
  readonly key: string
  readonly partition: string
  readonly population: string
  readonly text: string
  readonly earlierTurns: boolean
  readonly shared: boolean
  /** Where the log tells which answers are one. */
  readonly label: string | undefined
}

/** What is needed of a request to ask for likeness; undefined where it is answered by equal ones alone. */
export function alikeOf(request: LoggedRequest, { key, partition, likeness }: Plan): Alike | undefined {
  if (likeness === undefined) return undefined
  return { ...likeness, key: shortened(key), partition: shortened(partition), label: labelOf(request) }
}

/** The audited policy on the log, at one bound. Shares of the requests that were replayed. */
export interface LikenessRow {
  readonly epsilon: number
  readonly rates: Rates
  readonly exact: number
  readonly alike: number
  readonly held: boolean
}

/**
 * Replays requests with labels through an empty cache of one node, a likeness level for each population and neighbours within partitions, as the
 * gateway has them. Tells what is done, now and then.
 */
export function replayLikeness(
  requests: readonly Alike[],
  epsilon: number,
  language: string,
  progress: (share: number) => void,
): LikenessRow {
  const random = seeded(1)
  const counted = countedOver(requests.length)
  const levels = new Map<string, CachedStream<Placed>>()
  const kept = new Map<string, string>()
  const levelOf = (population: string): CachedStream<Placed> => {
    const level = levels.get(population) ?? cachedStream({ epsilon, random, index: partitionedIndex() }, counted)
    levels.set(population, level)
    return level
  }
  for (const [at, request] of requests.entries()) {
    if (at % 200 === 0) progress(at / requests.length)
    counted.count(at, 'requests')
    const label = request.label as string
    const level = levelOf(request.population)
    let answer = kept.get(request.key)
    const prepared = preparedOf(request, label, language)
    if (answer !== undefined) {
      counted.count(at, 'l2')
      level.exact()
    } else if (isRefused(request, prepared.question)) {
      kept.set(request.key, label)
      level.exact()
    } else {
      const served = level.look(at, prepared)
      answer = served.label
      // An answer that nobody verified is stored under no other request.
      if (served.fresh) kept.set(request.key, label)
    }
    if (answer !== undefined && answer !== label) counted.count(at, 'wrong')
  }
  const { all } = counted
  const rates = ratesOf(all)
  const of = (count: number): number => count / Math.max(1, all.requests)
  return { epsilon, rates, exact: of(all.l1 + all.l2), alike: of(all.l3), held: rates.errorOfAll <= epsilon }
}

/** Whether likeness leaves the question alone, as the gateway does without options. */
function isRefused({ earlierTurns, shared }: Alike, question: Question): boolean {
  return refusalOf(question, { earlierTurns, sharedBeyondUser: shared, anyLanguage: false }) !== undefined
}

function preparedOf({ text, partition }: Alike, label: string, language: string): Prepared<Placed> {
  return { question: questionOf(text, language), vector: { partition, vector: sparseNgrams(text) }, label }
}

/** How many requests that are no exact repeat have a near one before them, by least similarity, where nothing forbids it. */
export interface NearRow {
  readonly similarity: number
  readonly count: number
}

const SIMILARITIES = [0.9, 0.8, 0.7] as const
const LOOKED_AT = 8

/** Near repeats of a log without labels: how near they are, and nothing of whether one answer would do. */
export function nearRepeats(
  requests: readonly Alike[],
  language: string,
  progress: (share: number) => void,
): readonly NearRow[] {
  const index = partitionedIndex()
  const questions: Question[] = []
  const keys = new Set<string>()
  const counts = SIMILARITIES.map(() => 0)
  for (const [at, request] of requests.entries()) {
    if (at % 200 === 0) progress(at / requests.length)
    if (keys.has(request.key)) continue
    keys.add(request.key)
    const { question, vector } = preparedOf(request, '', language)
    if (isRefused(request, question)) continue
    const best = index
      .nearest(vector, LOOKED_AT)
      .find(({ id }) => vetoOf(question, questions[id] as Question) === undefined)?.similarity
    for (const [level, least] of SIMILARITIES.entries())
      if (best !== undefined && best >= least) counts[level] = (counts[level] as number) + 1
    index.add(vector)
    questions.push(question)
  }
  return SIMILARITIES.map((similarity, level) => ({ similarity, count: counts[level] as number }))
}
