import { type EvidenceNorm, type GuardVerdict, type TrafficGuard, trafficGuard } from '../learned/index.ts'
import { boundsOf } from './confidence.ts'

/** What pairs of answers showed of one arm at one kind of question. Immutable. */
export interface Evidence {
  readonly pairs: number
  /** Sum of agreements, each in [0, 1]. */
  readonly agreed: number
  /** Until another artefact comes: more pairs do not turn it on again. */
  readonly off: boolean
  /** What the true share of agreement is below, by these pairs. */
  readonly upperBound: number
}

export interface GuardRule {
  /** Least share of agreement. */
  readonly target: number
  /** Chance that an arm which meets the target is ever turned off. */
  readonly risk: number
}

/** Fewer pairs turn nothing off, however they fell: a first unlucky one is no record. */
const LEAST_PAIRS = 20

/** Before any pair. */
export const NO_EVIDENCE: Evidence = Object.freeze({ pairs: 0, agreed: 0, off: false, upperBound: 1 })

/** The evidence after one more pair; the arm goes off as soon as its true agreement is shown to be below the target. */
export function withPair({ pairs, agreed, off }: Evidence, agreement: number, { target, risk }: GuardRule): Evidence {
  const next = { pairs: pairs + 1, agreed: agreed + agreement }
  const upperBound = boundsOf(next.agreed, next.pairs, risk).upper
  return { ...next, upperBound, off: off || (next.pairs >= LEAST_PAIRS && upperBound < target) }
}

/** What arms are held to: each by its own pairs, and all together by how like the fitted rows the traffic is. */
export class ArmGuards {
  readonly #evidence = new Map<string, Evidence>()
  readonly #rule: GuardRule
  #traffic: TrafficGuard

  constructor(rule: GuardRule, norm: EvidenceNorm) {
    this.#rule = rule
    this.#traffic = trafficGuard({ targetQuality: rule.target, norm })
  }

  isOff(taskClass: string, arm: string): boolean {
    return this.#evidence.get(`${taskClass}\n${arm}`)?.off === true
  }

  verdict(): GuardVerdict {
    return this.#traffic.verdict()
  }

  /** Notes how much the fitted rows have to do with a prompt. */
  observe(evidence: number): void {
    this.#traffic.observe(evidence)
  }

  /** Notes a pair; gives the evidence where it has just turned the arm off. */
  note(taskClass: string, arm: string, agreement: number): Evidence | undefined {
    this.#traffic.pair(agreement, 1)
    const key = `${taskClass}\n${arm}`
    const before = this.#evidence.get(key) ?? NO_EVIDENCE
    const after = withPair(before, agreement, this.#rule)
    this.#evidence.set(key, after)
    return after.off && !before.off ? after : undefined
  }

  /** Begins anew: another artefact has other arms, and was fitted on other rows. */
  renew(norm: EvidenceNorm): void {
    this.#evidence.clear()
    this.#traffic = trafficGuard({ targetQuality: this.#rule.target, norm })
  }
}
