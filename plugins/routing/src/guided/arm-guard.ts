import { boundsOf } from './confidence.ts'

/** What pairs of answers showed of one arm at one kind of question. Immutable. */
export interface Evidence {
  readonly pairs: number
  /** Sum of agreements, each in [0, 1]. */
  readonly agreed: number
  /** For good: an arm that was turned off is not asked again, so nothing more is learnt of it. */
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

/** Before any pair. */
export const NO_EVIDENCE: Evidence = Object.freeze({ pairs: 0, agreed: 0, off: false, upperBound: 1 })

/** The evidence after one more pair; the arm goes off as soon as its true agreement is shown to be below the target. */
export function withPair({ pairs, agreed, off }: Evidence, agreement: number, { target, risk }: GuardRule): Evidence {
  const next = { pairs: pairs + 1, agreed: agreed + agreement }
  const upperBound = boundsOf(next.agreed, next.pairs, risk).upper
  return { ...next, upperBound, off: off || upperBound < target }
}

/** Which arms are off, by kind of question. */
export class ArmGuard {
  readonly #evidence = new Map<string, Evidence>()
  readonly #rule: GuardRule

  constructor(rule: GuardRule) {
    this.#rule = rule
  }

  isOff(taskClass: string, arm: string): boolean {
    return this.#evidence.get(`${taskClass}\n${arm}`)?.off === true
  }

  /** Notes a pair; gives the evidence where it has just turned the arm off. */
  note(taskClass: string, arm: string, agreement: number): Evidence | undefined {
    const key = `${taskClass}\n${arm}`
    const before = this.#evidence.get(key) ?? NO_EVIDENCE
    const after = withPair(before, agreement, this.#rule)
    this.#evidence.set(key, after)
    return after.off && !before.off ? after : undefined
  }

  /** Forgets all: another artefact has other arms. */
  clear(): void {
    this.#evidence.clear()
  }
}
