import { AuditedPolicy } from '../policy/audited-policy.ts'
import { settled } from '../policy/judgement.ts'
import type { Question } from '../policy/question.ts'
import type { AnswerGroup, Ranked } from '../policy/ranking.ts'
import { samplingFor } from '../policy/sampling.ts'
import type { NearestIndex } from './nearest.ts'
import type { Prepared } from './prepared.ts'
import type { Counted } from './tally.ts'

/** How the fuzzy level is replayed. */
export interface ReplayOptions<V> {
  /** Share of all requests that may be answered wrongly, in (0, 1). */
  readonly epsilon: number
  readonly random: () => number
  readonly index: NearestIndex<V>
  /** Share of misses that the judge is asked about; 1 unless given. */
  readonly judgeShare?: number
  /** How often the judge is wrong, in [0, 1); 0 unless given. */
  readonly judgeNoise?: number
  /** A no of the judge counts only when it is said twice; true unless given. */
  readonly confirmNo?: boolean
  /** Instead of those that go with epsilon. */
  readonly auditFloor?: number
  readonly window?: number
  readonly minSimilarity?: number
}

/** What the fuzzy level did with a request. */
export interface Served {
  /** The label of the answer that was served; undefined for a miss. */
  readonly label: string | undefined
  /** A fresh answer came in, from a miss or an audit: the exact levels may keep it. */
  readonly fresh: boolean
}

/** The fuzzy level of an experiment: the policy, its index and a judge that reads the labels. */
export interface CachedStream<V> {
  /** Looks one request up, and learns from it what the policy asks for. */
  look(at: number, request: Prepared<V>): Served
  /** Stores a request with its answer, without a look-up. */
  insert(request: Prepared<V>): void
  /** Counts a request that an exact level answered. */
  exact(): void
  readonly policy: AuditedPolicy
}

/** Neighbours that the encoder's search hands to the policy. */
export const RETRIEVED = 32

/** Below this there is no candidate: the measure of both views, of which the embedded encoder gives low ones. */
export const MIN_SIMILARITY = 0.15

interface Group extends AnswerGroup {
  readonly label: string
}

/** A fuzzy level with nothing in it, counting into `counted`. */
export function cachedStream<V>(options: ReplayOptions<V>, counted: Counted): CachedStream<V> {
  const { random, index, judgeNoise = 0, confirmNo = true, epsilon } = options
  let clock = 0
  const policy = new AuditedPolicy({
    ...samplingFor(epsilon),
    minSimilarity: MIN_SIMILARITY,
    judgeShare: 1,
    ...options,
    evidenceMaxAgeMs: Number.POSITIVE_INFINITY,
    now: () => clock,
  })
  const entries: { readonly question: Question; readonly group: Group }[] = []

  const judge = (at: number, candidate: Ranked<Group>, label: string): boolean | undefined => {
    const ask = (): boolean => {
      counted.count(at, 'judged')
      return (candidate.group.label === label) !== (judgeNoise > 0 && random() < judgeNoise)
    }
    const first = ask()
    return settled(first, !first && confirmNo && judgeNoise > 0 ? ask() : undefined)
  }

  const store = ({ question, vector, label }: Prepared<V>, join: Group | undefined): void => {
    index.add(vector)
    entries.push({ question, group: join ?? { founder: question, good: 1, bad: 1, label } })
  }

  return {
    policy,
    insert(request) {
      policy.observe(request.question)
      store(request, undefined)
    },
    exact: () => policy.request(),
    look(at, request) {
      const { question, vector, label } = request
      clock = at
      policy.request()
      const neighbours = index.nearest(vector, RETRIEVED).map(({ id, similarity }) => {
        const { question: stored, group } = entries[id] as (typeof entries)[number]
        return { id, similarity, question: stored, group }
      })
      const verdict = policy.decide(question, neighbours)
      policy.observe(question)
      if (verdict?.veto !== undefined) counted.count(at, 'vetoed')
      const candidate = verdict?.candidate
      let join: Group | undefined
      let served: string | undefined
      if (verdict !== undefined && candidate !== undefined && verdict.serve) {
        served = candidate.group.label
        counted.count(at, 'l3')
        if (verdict.ask !== 'audit') return { label: served, fresh: false }
        counted.count(at, 'audits')
        const after = policy.learn(verdict, served === label)
        if (after.remove !== undefined) index.remove(after.remove.id as number)
        join = after.join
      } else if (verdict?.ask === 'judge' && candidate !== undefined) {
        const said = judge(at, candidate, label)
        if (said !== undefined) join = policy.learn(verdict, said).join
        if (said === false && verdict.next !== undefined && judge(at, verdict.next, label) === true) join = verdict.next.group
      }
      store(request, join)
      while (policy.maintain());
      return { label: served, fresh: true }
    },
  }
}
