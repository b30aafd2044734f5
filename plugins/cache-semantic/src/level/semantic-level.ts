import type { Clock, Logger, SemanticCache, SemanticFinding, SemanticQuestion, VectorMatch } from '@switchyard/contract'
import type { Encoder } from '../encoder/encoder.ts'
import type { WrongHit } from '../events.ts'
import type { Judge } from '../judge/judge.ts'
import { abortReason, ignore, isAborted, timed } from '../own-calls/timed.ts'
import { tokenBucket } from '../own-calls/token-bucket.ts'
import { type Question, questionOf } from '../policy/question.ts'
import type { Neighbour } from '../policy/ranking.ts'
import { refusalOf } from '../policy/vetoes.ts'
import { bypassed, hit, late, missed } from './findings.ts'
import type { NamedGroup } from './groups.ts'
import type { IndexRoom } from './index-room.ts'
import type { Learning } from './learning.ts'
import type { Bypass, Looked } from './looked.ts'
import { lru } from './lru.ts'
import { decodePayload } from './payload.ts'
import type { Population } from './population.ts'
import type { Populations } from './populations.ts'
import { turnsOf } from './turns.ts'

export interface LevelOptions {
  readonly epsilon: number
  readonly language: string
  readonly anyLanguage: boolean
  readonly maxTurns: number
  /** UTF-16 code units. */
  readonly maxUnits: number
  readonly lookupTimeoutMs: number
  readonly embeddingTimeoutMs: number
  readonly maxLookupsPerSecond: number
  readonly maxConcurrent: number
}

/** An index, and what is learnt of look-ups in it. */
export interface Indexed {
  readonly room: IndexRoom
  readonly learning: Learning
}

export interface LevelParts {
  readonly options: LevelOptions
  /** Undefined: nothing is looked up. */
  readonly indexed: Indexed | undefined
  readonly encoder: Encoder
  readonly judge: Judge
  readonly populations: Populations
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Pick<Logger, 'warn'>
  readonly closing: AbortSignal
  readonly wrong: (hit: Omit<WrongHit, 'plugin'>) => void
}

/** Questions taken apart that are kept, and the most UTF-16 code units of all their texts: each takes some 13 bytes. */
const MOST_QUESTIONS = 10_000
export const MOST_UNITS = 6_000_000
const MOST_SERVED = 10_000
/** Share of the questions that is looked up where that is in vain. */
const SAMPLE = 1 / 16

/** The port `semantic-cache`. */
export function semanticLevel(parts: LevelParts): SemanticCache {
  const { options, indexed, encoder, judge, populations, clock, random, log, closing, wrong } = parts
  const { epsilon, language, anyLanguage, maxTurns, maxUnits, maxConcurrent } = options
  const questions = lru<Question>(MOST_QUESTIONS, { most: MOST_UNITS, of: ({ text }) => text.length })
  /** Groups of the answers that were served, for feedback. */
  const served = lru<string>(MOST_SERVED)
  const lookups = tokenBucket(clock, options.maxLookupsPerSecond, 1_000)
  let underWay = 0
  let hasFailed = false

  const parsed = (text: string): Question => {
    const known = questions.get(text)
    if (known !== undefined) return known
    const question = questionOf(text, language)
    questions.set(text, question)
    return question
  }

  const over = (): void => {
    underWay -= 1
  }

  /** Vectors of two encoders never meet. */
  const whereOf = (partition: string): string => `${encoder.id}:${partition}`

  const refused = ({ text, call, epsilon: wished = epsilon, earlierTurns, shared }: SemanticQuestion): Bypass | undefined => {
    if (closing.aborted) return 'closed'
    if (indexed === undefined) return 'no-index'
    if (!(epsilon > 0) || !(wished > 0)) return 'epsilon'
    if (text.length > maxUnits) return 'too-long'
    if (turnsOf(call.request.body) > maxTurns) return 'turns'
    return refusalOf(parsed(text), { earlierTurns, sharedBeyondUser: shared, anyLanguage })
  }

  const populationOf = async (name: string, signal: AbortSignal | undefined): Promise<Population | undefined> => {
    const population = populations.of(name)
    if (population !== undefined) return population
    await timed(() => populations.loaded(name), { clock, ms: options.lookupTimeoutMs, what: 'the state', signal }).catch(ignore)
    if (isAborted(signal)) throw abortReason(signal)
    return populations.known(name)
  }

  const neighboursIn = (
    matches: readonly VectorMatch[],
    where: string,
    { groups }: Population,
    learning: Learning,
  ): readonly Neighbour<NamedGroup>[] => {
    const unread: string[] = []
    const neighbours = matches.flatMap(({ id, similarity, payload }): readonly Neighbour<NamedGroup>[] => {
      const read = decodePayload(payload)
      if (read === undefined || !Number.isFinite(similarity)) {
        unread.push(id)
        return []
      }
      const group = groups.of(where, read.group, () => parsed(read.founder))
      return [{ id, question: parsed(read.text), group, similarity }]
    })
    if (unread.length > 0) learning.forget(where, unread)
    return neighbours
  }

  const look = async (
    question: SemanticQuestion,
    { room, learning }: Indexed,
    signal: AbortSignal | undefined,
  ): Promise<SemanticFinding> => {
    const population = await populationOf(question.population, signal)
    if (population === undefined) return bypassed('state')
    if (population.policy.isVain && random() >= SAMPLE) {
      population.policy.spared()
      return bypassed('vain')
    }
    if (underWay >= maxConcurrent || !lookups.take()) return bypassed('busy')
    if (!encoder.ready(question)) return bypassed('embedder')
    if (!room.admits()) return bypassed('index')
    const asked = parsed(question.text)
    const where = whereOf(question.partition)
    underWay += 1
    // A vector that is late still takes room.
    const encoding = encoder.encode(question.text, question)
    encoding.then(over, over)
    const looked: Looked = { question, asked, where, population, vector: encoding, verdict: undefined }
    let vector: Float32Array
    try {
      const limit = { clock, ms: options.embeddingTimeoutMs, what: 'the embedding', signal }
      vector = await timed(() => encoding, limit)
    } catch (error) {
      if (isAborted(signal)) throw abortReason(signal)
      encoder.note(error)
      return late(looked, learning)
    }
    encoder.note(undefined)
    let matches: readonly VectorMatch[]
    try {
      matches = await room.nearest(where, vector, signal)
    } catch {
      if (isAborted(signal)) throw abortReason(signal)
      return bypassed('index')
    }
    const neighbours = neighboursIn(matches, where, population, learning)
    const verdict = population.policy.decide(asked, neighbours, question.epsilon, judge.share() * (1 - learning.filled()))
    population.policy.observe(asked)
    population.counts.lookups += 1
    const candidate = verdict?.serve === true ? verdict.candidate : undefined
    if (candidate === undefined) return missed({ ...looked, verdict }, learning)
    population.counts.hits += 1
    population.counts.repeats += 1
    served.set(`${where}\n${candidate.id}`, candidate.group.id)
    return hit({ ...looked, verdict }, candidate, { learning, mayAudit: judge.ready() })
  }

  return {
    async find(question, { signal } = {}) {
      if (isAborted(signal)) throw abortReason(signal)
      try {
        populations.counted(question.population, false)
        const reason = refused(question)
        return reason === undefined ? await look(question, indexed as Indexed, signal) : bypassed(reason)
      } catch (error) {
        if (isAborted(signal)) throw abortReason(signal)
        if (!hasFailed) log.warn({ error }, 'a look-up failed by a fault of our own; it is not logged again')
        hasFailed = true
        return bypassed('failed')
      }
    },
    counted: (population) => populations.counted(population, true),
    async reject({ partition, population, key }) {
      const where = whereOf(partition)
      const group = served.get(`${where}\n${key}`)
      if (group !== undefined) populations.known(population)?.groups.learn(group, false)
      wrong({ partition, population, key, foundBy: 'feedback', similarity: undefined, probability: undefined })
      await indexed?.room.remove(where, [key])
    },
    standings: () => populations.all().map((population) => population.standing()),
  }
}
