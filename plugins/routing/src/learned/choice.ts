import { bestArm, type Policy } from './calibrate.ts'
import type { Estimate } from './posterior.ts'

/** Why an arm was taken: the policy's choice; the part of prompts that the policy leaves to the reference; too little evidence. */
export type ChoiceReason = 'policy' | 'share' | 'thin'

/** An arm's number and why it was taken. */
export interface Choice {
  readonly arm: number
  readonly reason: ChoiceReason
}

/** What a choice needs beside the estimate. */
export interface ChoiceRule {
  readonly policy: Policy
  readonly reference: number
  /** Evidence below which the reference is taken. */
  readonly leastEvidence: number
}

/** Takes an arm for one prompt. `place` is the prompt's own, in [0, 1), so that a prompt is always routed alike. */
export function chooseArm({ policy, reference, leastEvidence }: ChoiceRule, estimate: Estimate, place: number): Choice {
  if (policy.kind === 'reference') return { arm: reference, reason: 'policy' }
  if (estimate.evidence < leastEvidence) return { arm: reference, reason: 'thin' }
  if (place >= policy.share) return { arm: reference, reason: 'share' }
  if (policy.kind === 'arm') return { arm: policy.arm, reason: 'policy' }
  return { arm: bestArm(estimate.quality, estimate.cost, policy.lambda, estimate.quality.length), reason: 'policy' }
}
