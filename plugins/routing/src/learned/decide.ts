import type { Arm } from './arms.ts'
import { posteriorOf, type RouterArtefact } from './artefact.ts'
import { type ChoiceReason, chooseArm } from './choice.ts'
import { estimatedTokens } from './costing.ts'
import { estimator } from './posterior.ts'
import { placeOf } from './seeded.ts'
import { comparableKinds, type RequestShape } from './task-class.ts'
import { termsOf } from './terms.ts'

/** What is to be answered: the user's text, and the request around it. */
export interface Question {
  readonly prompt: string
  /** Input tokens of the whole request; estimated from the prompt where absent. */
  readonly inputTokens?: number
  /** Without it cascades are not offered, since nothing says that answers compare. */
  readonly shape?: RequestShape
}

/** Which arm answers, and why. */
export interface Decision {
  readonly arm: Arm
  /** For the decision trace, first the deciding one. */
  readonly reasons: readonly string[]
  /** Expected score of the arm on this prompt, 0 to 1. */
  readonly expectedQuality: number
  /** What calibration promises of the policy as a whole, relative to the reference. */
  readonly lowerBound: number
  /** Expected pico-USD of every call of the arm. */
  readonly expectedCost: number
  /** How much the evidence has to do with this prompt; for `trafficGuard`. */
  readonly evidence: number
  /** True where the reference was taken because the evidence is too thin to promise anything else. */
  readonly thin: boolean
}

/** Decides by an artefact. Deterministic, does no I/O, and serves one caller at a time. */
export type Decider = (question: Question) => Decision

/** Makes a decider. Throws a TypeError where the artefact's parts do not fit each other. */
export function decider(artefact: RouterArtefact): Decider {
  const { arms, calibration, leastEvidence, targetQuality } = artefact
  const estimate = estimator(posteriorOf(artefact))
  const reference = arms.findIndex(({ id, check }) => id === artefact.reference && check === undefined)
  const rule = { policy: calibration.policy, reference, leastEvidence }
  const sentences = sentencesOf(artefact)
  return ({ prompt, inputTokens, shape }) => {
    const one = estimate(termsOf(prompt), inputTokens ?? estimatedTokens(prompt.length))
    let { arm, reason }: { arm: number; reason: ChoiceReason | 'shape' } = chooseArm(rule, one, placeOf(prompt))
    if ((arms[arm] as Arm).check !== undefined && !comparableKinds(shape).includes(artefact.answer)) {
      arm = reference
      reason = 'shape'
    }
    const uncertified = calibration.policy.kind === 'reference' && targetQuality > 0 && calibration.saved <= 0
    return {
      arm: arms[arm] as Arm,
      reasons: [uncertified ? sentences.uncertified : sentences[reason]],
      expectedQuality: one.quality[arm] as number,
      lowerBound: arm === reference ? 1 : calibration.lowerBound,
      expectedCost: one.cost[arm] as number,
      evidence: one.evidence,
      thin: reason === 'thin' || uncertified,
    }
  }
}

function sentencesOf({
  calibration,
  reference,
  targetQuality,
}: RouterArtefact): Readonly<Record<ChoiceReason | 'shape' | 'uncertified', string>> {
  const target = `${+(targetQuality * 100).toFixed(2)} %`
  const bound = `${+(calibration.lowerBound * 100).toFixed(2)} %`
  return {
    policy: `greatest expected quality less its price; at least ${bound} of ${reference} on ${calibration.rows} held-out rows`,
    share: `left to ${reference}, so that the whole keeps ${target}`,
    thin: `evidence is thin: next to nothing like this was seen, so ${reference}`,
    shape: `answers to this request cannot be compared, so no cascade: ${reference}`,
    uncertified: `evidence is thin: nothing cheaper is certified at ${target} by ${calibration.rows} rows, so ${reference}`,
  }
}
