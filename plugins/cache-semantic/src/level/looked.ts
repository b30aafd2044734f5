import type { SemanticQuestion } from '@switchyard/contract'
import type { Question } from '../policy/question.ts'
import type { Verdict } from '../policy/verdict.ts'
import type { Refusal, Veto } from '../policy/vetoes.ts'
import type { NamedGroup } from './groups.ts'
import type { Population } from './population.ts'

/** One look-up, for what is learnt of it afterwards. */
export interface Looked {
  readonly question: SemanticQuestion
  readonly asked: Question
  /** Partition of the index. */
  readonly where: string
  readonly population: Population
  /** Rejects where none came. */
  readonly vector: Promise<Float32Array>
  /** Undefined where nothing was near, or where it was not looked up for want of a vector in time. */
  readonly verdict: Verdict<NamedGroup> | undefined
}

/** Why a question was not looked up. `refusalOf` says what the question alone is refused for. */
export type Bypass =
  | Refusal
  /** Exact answers only, by the options or for this call. */
  | 'epsilon'
  | 'no-index'
  | 'too-long'
  | 'turns'
  /** Of late nothing was found that would have done: a sample of the questions is looked up. */
  | 'vain'
  /** More look-ups than there is room for. */
  | 'busy'
  /** No vector in time, or none that can be trusted. */
  | 'embedder'
  /** The index failed or was too slow. */
  | 'index'
  /** What was learnt before could not be read yet. */
  | 'state'
  | 'closed'
  | 'failed'

/** Why what was found may not serve: a veto, or one of these. */
export type Miss = Veto | 'nothing-near' | 'shadow' | 'below-cut'
