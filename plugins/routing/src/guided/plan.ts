import type { Attributes, Call, Clock, Decision, ModelRequest } from '@switchyard/contract'
import { type Knowledge, RequestFacts } from '../facts.ts'
import { unitHash } from '../hash.ts'
import { turnPrices } from '../prices.ts'
import { rank } from '../rank.ts'
import { rankingFacts } from '../routed.ts'
import { type SessionKey, sessionKeyOf } from '../session/session-key.ts'
import type { Pin } from '../session/sessions.ts'
import type { Ranked } from '../strategies/strategy.ts'
import type { Route } from '../table.ts'
import { type ArmPlan, planArm } from './arm-plan.ts'
import type { Guided } from './guided.ts'

export interface PlanContext {
  readonly knowledge: Knowledge
  readonly clock: Pick<Clock, 'now'>
  readonly estimate: (request: ModelRequest) => number
}

/** What becomes of a call on a guided route. */
export interface GuidedPlan {
  /** Best first, never empty. */
  readonly order: readonly Ranked[]
  /** Shared by every attempt. */
  readonly attributes: Attributes
  readonly decisions: readonly Omit<Decision, 'by'>[]
  readonly session: SessionKey | undefined
  /** Where the session is to be pinned; undefined where this turn pins nothing. */
  readonly pin: Pin | undefined
  readonly arm: ArmPlan | undefined
}

/** Decides, and alters nothing but for the draws of strategies. Throws as `rank` does. */
export function planGuided(
  { knowledge, clock, estimate }: PlanContext,
  route: Route,
  guided: Guided,
  call: Call<'model.invoke'>,
): GuidedPlan {
  const { sessions, baseline, controlPercent, learned } = guided
  const now = clock.now()
  const facts = new RequestFacts(call, estimate)
  facts.answer = learned?.settings.answer
  const session = sessions === undefined && controlPercent === 0 ? undefined : sessionKeyOf(call)
  if (sessions !== undefined && session !== undefined)
    facts.warmth = (deployment) => sessions.warm(session.key, deployment, now)
  const ranking = rank(route, call, facts, knowledge)
  const decisions: Omit<Decision, 'by'>[] = []
  const control = isControl(session, route, controlPercent)
    ? ranking.order.find(({ target }) => target.model === baseline)
    : undefined
  let arm: ArmPlan | undefined
  let order = ranking.order
  if (control !== undefined) {
    order = [control, ...order.filter((one) => one !== control)]
    decisions.push({ decision: 'control', because: { baseline, percent: controlPercent } })
  } else if (learned !== undefined) {
    arm = planArm(learned.file.current(), learned.settings, guided.guards, call, facts, order)
    order = arm.order
    decisions.push({ decision: 'arm', because: arm.because })
  }
  let pin: Pin | undefined
  if (sessions !== undefined && session !== undefined) {
    const open = control === undefined ? order : [control]
    const targets = open.map(({ target }) => ({
      deployment: target.deployment,
      prices: turnPrices(knowledge.entryOf(target), now),
    }))
    const considered = sessions.consider(session.key, targets, facts.inputTokens(), guided.quality, now)
    const isFree = considered.why === 'new' || considered.why === 'idle' || considered.why === 'unavailable'
    // A cascade has no one target whose cache could be kept warm.
    if (arm?.cascade === undefined || !isFree) pin = considered
    if (arm?.cascade !== undefined && !isFree) arm = { ...arm, cascade: undefined, shadow: undefined }
    const pinned = order.find(({ target }) => target.deployment === considered.deployment) as Ranked
    if (arm !== undefined && pin !== undefined && pinned !== order[0])
      arm = { ...arm, arm: pinned.target.model, shadow: undefined }
    if (pinned !== order[0]) order = [pinned, ...order.filter((one) => one !== pinned)]
    decisions.push({ decision: 'session', because: { session: session.session, ...considered } })
  }
  if (route.targets.length > 1) decisions.unshift({ decision: 'ranked', because: rankingFacts(route, ranking, order) })
  const attributes: Attributes = {
    ...call.attributes,
    route: route.name,
    ...(session !== undefined && { session: session.session }),
    ...(arm !== undefined && { taskClass: arm.taskClass, arm: arm.arm }),
    ...(baseline !== undefined && { baseline }),
    ...(control !== undefined && { control: true }),
  }
  return { order, attributes, decisions, session, pin, arm }
}

/** Drawn by the session, so that all its turns are of one kind, alike on every node. */
function isControl(session: SessionKey | undefined, { name }: Route, percent: number): boolean {
  return session !== undefined && percent > 0 && 100 * unitHash(`${session.key}\n${name}\ncontrol`) < percent
}
