import type { Call, ErrorCode, Operation, Stage, SwitchyardError } from '@switchyard/contract'
import type { Problem } from '../problem.ts'
import { type Pipeline, unknownTarget } from './compose.ts'
import { wrapUnknown } from './wrap.ts'

export interface ExplainedDecision {
  readonly stage: Stage
  /** Name of the policy. */
  readonly by: string
  /** `unknown` where the policy has no dry run. */
  readonly decision: string
  readonly because?: Readonly<Record<string, unknown>>
}

/** What would become of a call. */
export interface Explanation {
  readonly operation: Operation
  /** Where the call would end up, after any routing. */
  readonly target: string
  /** Whether that target serves the operation. */
  readonly served: boolean
  /** Outermost policy first. */
  readonly decisions: readonly ExplainedDecision[]
  /** Refusals and faults that the dry run met; empty where the call would reach its target. */
  readonly problems: readonly Problem[]
}

/** Asks each policy in turn, handing on the call as it would have changed it. Reaches no target. */
export async function explainCall(pipeline: Pipeline, call: Call): Promise<Explanation> {
  const decisions: ExplainedDecision[] = []
  const problems: Problem[] = []
  let current = call
  for (const { policy, instance } of pipeline.policies) {
    if (policy.explain === undefined) {
      decisions.push({ stage: policy.stage, by: policy.name, decision: 'unknown', because: { reason: 'it has no dry run' } })
      continue
    }
    try {
      const explained = await policy.explain(current)
      for (const decision of explained.decisions) decisions.push({ stage: policy.stage, by: policy.name, ...decision })
      if (explained.call !== undefined) current = Object.freeze(explained.call)
    } catch (error) {
      problems.push(problem(instance, wrapUnknown(error, instance, `the dry run of the policy "${policy.name}"`)))
    }
  }
  const served = pipeline.targets.includes(current.target)
  if (!served) problems.push(problem(current.target, unknownTarget(current, pipeline.targets)))
  return { operation: pipeline.operation, target: current.target, served, decisions, problems }
}

const MENDS: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: 'Name one of the known targets',
  INTERNAL: "Report this to the plugin's author",
}

function problem(plugin: string, error: SwitchyardError): Problem {
  return {
    code: error.code,
    plugin,
    message: error.message,
    mend: MENDS[error.code] ?? (error.retryable ? 'Send it again later' : 'Change the request, or what refuses it'),
  }
}
