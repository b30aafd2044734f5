import type { Call } from '@switchyard/contract'
import type { RequestFacts } from '../facts.ts'
import { type AnswerKind, type Arm, comparableKinds, type GuardVerdict, type RequestShape } from '../learned/index.ts'
import { offeredFunctions, promptOf, shapeOf } from '../shape.ts'
import type { Ranked } from '../strategies/strategy.ts'
import type { LoadedArtefact } from './artefact-file.ts'
import type { LearnedSettings } from './options.ts'
import type { Comparison } from './reply-answer.ts'

/** A cascade that can be asked: its models, whose answers count most first by quality, and the one that is asked on refusal. */
export interface CascadePlan {
  readonly check: NonNullable<Arm['check']>
  /** In the order of asking. */
  readonly steps: readonly Ranked[]
  /** Places among the steps, the best model first. */
  readonly best: readonly number[]
  readonly strong: Ranked
  readonly comparison: Comparison
}

/** A second answer that says something of an arm. */
export interface ShadowPlan {
  readonly candidate: Ranked
  /** The arm that is judged. */
  readonly arm: string
  /** The candidate is the reference; else the reference serves, and the candidate stands for the arm. */
  readonly asksReference: boolean
  readonly comparison: Comparison
}

/** What of an arm's record forbids it. */
export interface Guards {
  isOff(taskClass: string, arm: string): boolean
  /** Of the artefact as a whole. */
  verdict(): GuardVerdict
}

/** What the learned strategy decides for one call. */
export interface ArmPlan {
  readonly arm: string
  readonly taskClass: string
  /** Every candidate: for one model that model first, for a cascade the strong one, then the reference, then the rest as listed. */
  readonly order: readonly Ranked[]
  readonly cascade: CascadePlan | undefined
  /**
   * Whom a shadow call asks, and for which arm: the reference where another arm serves, and that arm's model where the guard gave the
   * call to the reference. Undefined where nothing could be compared.
   */
  readonly shadow: ShadowPlan | undefined
  /** How much the artefact's rows have to do with the prompt. */
  readonly evidence: number
  /** For the trace. */
  readonly because: Readonly<Record<string, unknown>>
}

const VERDICTS = {
  'other-traffic': 'evidence is thin: this traffic is unlike what the artefact was fitted on',
  'below-target': 'the arms of this artefact fell short of the reference',
} as const

/** Decides which arm answers a call, among the candidates that may serve it. Alters nothing. */
export function planArm(
  { artefact, decide, quality, version }: LoadedArtefact,
  settings: LearnedSettings,
  guards: Guards | undefined,
  call: Call<'model.invoke'>,
  facts: RequestFacts,
  candidates: readonly Ranked[],
): ArmPlan {
  const { request } = call
  const stated = shapeOf(request, settings.answer)
  const brief = stated.stream === true && isBrief(call, facts, settings)
  const shape: RequestShape = brief ? { ...stated, stream: false } : stated
  const { taskClass } = facts
  const decision = decide({ prompt: promptOf(request), inputTokens: facts.inputTokens(), shape })
  const find = (name: string | undefined): Ranked | undefined => {
    const model = name === undefined ? undefined : (settings.models[name] ?? name)
    return candidates.find(({ target }) => target.model === model)
  }
  const reference = find(artefact.reference)
  const comparable = comparableKinds({ ...shape, stream: false })
  const kind = comparable.includes(artefact.answer) ? artefact.answer : null
  const reasons = [...decision.reasons]
  let { arm } = decision
  const giveUp = (why: string): void => {
    reasons.unshift(`${why}, so ${artefact.reference}`)
    arm = { id: artefact.reference, models: [artefact.reference] }
  }
  const wanted = arm
  const verdict = guards?.verdict() ?? 'open'
  if (arm.id !== artefact.reference) {
    if (guards?.isOff(taskClass, arm.id)) giveUp(`${arm.id} was turned off for ${taskClass}: it fell short of the reference`)
    else if (verdict !== 'open') giveUp(VERDICTS[verdict])
  }
  const unproven = arm !== wanted
  const missing = [...arm.models, ...(arm.fallback === undefined ? [] : [arm.fallback])].find(
    (name) => find(name) === undefined,
  )
  if (missing !== undefined && arm.id !== artefact.reference) giveUp(`${missing} cannot serve now`)
  if (find(arm.fallback ?? arm.models[0]) === undefined) reasons.unshift(`${arm.models[0]} cannot serve now: as listed`)
  const chosen = find(arm.fallback ?? arm.models[0])
  const cascade = cascadeOf(arm, find, quality, comparisonOf(kind, shape, request.body))
  const comparison = kind === null || stated.stream === true ? undefined : comparisonOf(kind, shape, request.body)
  const judged = wanted.id === artefact.reference ? undefined : wanted
  const asksReference = arm === wanted
  // An arm that was given up is followed by its one model; a cascade's worth cannot be told so.
  const candidate = asksReference ? reference : judged?.check === undefined ? find(judged?.models[0]) : undefined
  return {
    arm: arm.id,
    taskClass,
    order: leading(candidates, chosen, reference),
    cascade,
    shadow:
      judged === undefined || comparison === undefined || candidate === undefined
        ? undefined
        : { candidate, arm: judged.id, asksReference, comparison },
    evidence: decision.evidence,
    because: {
      arm: arm.id,
      taskClass,
      reasons,
      expectedQuality: round(decision.expectedQuality),
      lowerBound: round(decision.lowerBound),
      expectedPicoUsd: Math.round(decision.expectedCost),
      thin: decision.thin || unproven,
      artefact: version,
    },
  }
}

function comparisonOf(kind: AnswerKind, shape: RequestShape, body: Readonly<Record<string, unknown>>): Comparison {
  return { kind, json: shape.jsonSchema === true && kind !== 'call', offered: kind === 'call' ? offeredFunctions(body) : [] }
}

function cascadeOf(
  { check, models, fallback }: Arm,
  find: (name: string | undefined) => Ranked | undefined,
  quality: ReadonlyMap<string, number>,
  comparison: Comparison,
): CascadePlan | undefined {
  const strong = find(fallback)
  if (check === undefined || comparison.kind === null || strong === undefined) return undefined
  const steps = models.map(find).filter((step) => step !== undefined)
  const score = (at: number): number => quality.get(models[at] as string) ?? 0
  const best = models.map((_, at) => at).toSorted((a, b) => score(b) - score(a))
  return { check, steps, best, strong, comparison }
}

/** A stream is answered from a whole reply only where nobody would notice the wait. */
function isBrief(
  { request }: Call<'model.invoke'>,
  { outputTokens }: RequestFacts,
  { streamTokens }: LearnedSettings,
): boolean {
  return request.endpoint === 'chat/completions' && outputTokens > 0 && outputTokens <= streamTokens
}

function leading(candidates: readonly Ranked[], ...first: readonly (Ranked | undefined)[]): readonly Ranked[] {
  const order = new Set<Ranked>()
  for (const one of first) if (one !== undefined) order.add(one)
  for (const one of candidates) order.add(one)
  return [...order]
}

function round(share: number): number {
  return Math.round(share * 10_000) / 10_000
}
