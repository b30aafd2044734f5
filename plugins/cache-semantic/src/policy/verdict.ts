import type { Question } from './question.ts'
import type { AnswerGroup, Ranked } from './ranking.ts'
import type { Veto } from './vetoes.ts'

/** What the policy decided of one look-up. */
export interface Verdict<G extends AnswerGroup = AnswerGroup> {
  readonly question: Question
  /** Undefined where every group near enough is kept off by a veto. */
  readonly candidate: Ranked<G> | undefined
  /** The candidate of the group that comes next: to be asked about where a judge says no to the first. */
  readonly next: Ranked<G> | undefined
  /** Why the nearest group is kept off, where it is. */
  readonly veto: Veto | undefined
  readonly margin: number
  readonly features: Float64Array
  /** That the candidate's answer would do; undefined before the first fit. */
  readonly probability: number | undefined
  readonly serve: boolean
  /** What to find out beside: send the call upstream too, or ask the judge after the call. */
  readonly ask: 'audit' | 'judge' | undefined
  /** 1 / the probability with which that was to be asked. */
  readonly weight: number
}

/** What to do with the entries once a label is in. */
export interface Consequence<G extends AnswerGroup = AnswerGroup> {
  /** The group that the asked question belongs to; undefined: its fresh answer founds one. */
  readonly join: G | undefined
  /** An entry that was served wrongly, to be removed on every node with its aliases. */
  readonly remove: Ranked<G> | undefined
}

/** What a verdict says of a candidate where there is none. */
export const NOTHING: Omit<Verdict<never>, 'question' | 'veto'> = {
  candidate: undefined,
  next: undefined,
  margin: 0,
  features: new Float64Array(0),
  probability: undefined,
  serve: false,
  ask: undefined,
  weight: 0,
}
