import type { Call, Explained, ModelEnding, ModelReply, ModelRequest, Next, WellKnownAttributes } from '@switchyard/contract'
import { expectedCost } from '../prices.ts'
import { alternativeOf, routedTo } from '../routed.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Ranked } from '../strategies/strategy.ts'
import type { Route } from '../table.ts'
import type { ArmGuards } from './arm-guard.ts'
import type { CascadePlan, ShadowPlan } from './arm-plan.ts'
import type { ArtefactFile } from './artefact-file.ts'
import { runCascade } from './cascade.ts'
import type { LearnedSettings } from './options.ts'
import { type GuidedPlan, type PlanContext, planGuided } from './plan.ts'
import type { Shadow } from './shadow.ts'
import { wholeAsStream } from './whole-as-stream.ts'

/** What a route does beyond ranking. */
export interface Guided {
  readonly sessions: Sessions | undefined
  readonly baseline: string | undefined
  /** 0 = no control arm. */
  readonly controlPercent: number
  readonly learned: { readonly file: ArtefactFile; readonly settings: LearnedSettings } | undefined
  readonly shadow: Shadow | undefined
  /** What arms are held to; with every learned strategy. */
  readonly guards: ArmGuards | undefined
  /** The strategy ranks by quality, so that a dearer first target means a harder question. */
  readonly quality: boolean
}

export interface GuidedContext extends PlanContext {
  readonly name: string
  readonly clock: PlanContext['clock'] & { schedule(ms: number, callback: () => void): () => void }
}

type ModelCall = Call<'model.invoke'>
type ModelNext = Next<'model.invoke'>

/** Calls of guided routes, carried out and explained. */
export class GuidedCalls {
  readonly #context: GuidedContext

  constructor(context: GuidedContext) {
    this.#context = context
  }

  /** Rejects as `rank` throws, and as `next` does. */
  async carryOut(route: Route, guided: Guided, call: ModelCall, next: ModelNext): Promise<ModelReply> {
    const { name, clock, knowledge } = this.#context
    const plan = planGuided(this.#context, route, guided, call)
    for (const { decision, because } of plan.decisions) call.trace.decide(name, decision, because)
    if (plan.pin !== undefined && plan.session !== undefined) guided.sessions?.pin(plan.session.key, plan.pin, clock.now())
    const { arm, order, attributes } = plan
    const { purpose } = call.attributes as WellKnownAttributes
    const isClients = purpose === undefined
    if (arm !== undefined && isClients) guided.guards?.observe(arm.evidence)
    const shadow =
      isClients && arm?.shadow !== undefined && guided.shadow?.wants(knowledge.random()) === true ? arm.shadow : undefined
    // What stands for a client's call, as an audit does, is to be answered as that is; a judge is a model by itself.
    if (arm?.cascade !== undefined && purpose !== 'judge') {
      const accepted = await this.#cascade(route, guided, plan, arm.cascade, call, next)
      const reply = accepted !== undefined && call.request.stream ? wholeAsStream(accepted, call.request) : accepted
      if (reply !== undefined) {
        if (shadow !== undefined) this.#shadow(route, guided, plan, shadow, call, next, reply)
        return reply
      }
      return next(routedTo(call, route, order, attributes))
    }
    const reply = await next(routedTo(call, route, order, attributes))
    if (shadow !== undefined) this.#shadow(route, guided, plan, shadow, call, next, reply)
    return reply
  }

  /** What `carryOut` would decide. */
  explain(route: Route, guided: Guided, call: ModelCall): Explained<'model.invoke'> {
    const { order, attributes, decisions, arm } = planGuided(this.#context, route, guided, call)
    const cascade = arm?.cascade
    return {
      decisions:
        cascade === undefined ? decisions : [...decisions, { decision: 'would-ask-first', because: cascadeFacts(cascade) }],
      call: routedTo(call, route, order, attributes),
    }
  }

  async #cascade(
    route: Route,
    { learned }: Guided,
    { arm, attributes }: GuidedPlan,
    cascade: CascadePlan,
    call: ModelCall,
    next: ModelNext,
  ): Promise<ModelReply | undefined> {
    const { name, clock, knowledge } = this.#context
    const { purpose = 'cascade' } = call.attributes as WellKnownAttributes
    const shared = { ...attributes, purpose }
    const { accepted, asked } = await runCascade(
      {
        clock,
        timeoutMs: learned?.settings.cheapTimeoutMs ?? 0,
        copyFor: (step, signal, main) => {
          const { target, attributes: own } = alternativeOf(call, route, step, shared)
          const request = wholeRequest(call.request, step.target.model, main)
          return { ...call, target, request, attributes: own, signal, alternatives: undefined }
        },
        costOf: ({ target }, { usage }: ModelEnding) => {
          const entry = knowledge.entryOf(target)
          return entry === undefined ? undefined : expectedCost(entry, usage, clock.now())
        },
      },
      cascade,
      call.signal,
      next,
    )
    const { check, steps, strong } = cascade
    const because = { arm: arm?.arm, check, asked }
    if (accepted !== undefined) {
      const served = steps[accepted.step]?.target.deployment
      call.trace.decide(name, 'cascade-accepted', { ...because, served })
      return accepted.reply
    }
    call.trace.decide(name, 'cascade-refused', { ...because, next: strong.target.deployment })
    return undefined
  }

  #shadow(
    route: Route,
    { shadow }: Guided,
    { arm, attributes }: GuidedPlan,
    { candidate, arm: judged, asksReference, comparison }: ShadowPlan,
    call: ModelCall,
    next: ModelNext,
    reply: ModelReply,
  ): void {
    if (shadow === undefined || arm === undefined) return
    const { target, attributes: own } = alternativeOf(call, route, candidate, attributes)
    const request = wholeRequest(call.request, candidate.target.model, false)
    call.trace.decide(this.#context.name, 'shadowed', { asks: candidate.target.deployment, arm: judged })
    const served = { taskClass: arm.taskClass, arm: judged, reply, comparison, isReference: !asksReference }
    void shadow.compare(call, next, { target, request, attributes: own }, served)
  }
}

/**
 * A request for a whole reply of a model. Only the `main` copy keeps the marks that its owner put on the request, by which a gateway
 * tells who served.
 */
function wholeRequest(request: ModelRequest, model: string, main: boolean): ModelRequest {
  if (!request.stream) {
    if (main) return { ...request, model }
    const { endpoint, body, raw, stream, headers } = request
    return { endpoint, model, body, stream, ...(raw !== undefined && { raw }), ...(headers !== undefined && { headers }) }
  }
  const { raw: _, ...rest } = request
  const { stream_options: __, ...body } = request.body
  const whole = { ...body, stream: false }
  if (main) return { ...rest, model, body: whole, stream: false }
  const { endpoint, headers } = request
  return { endpoint, model, body: whole, stream: false, ...(headers !== undefined && { headers }) }
}

function cascadeFacts({ check, steps, strong }: CascadePlan): Readonly<Record<string, unknown>> {
  const named = (step: Ranked): string => step.target.deployment
  return { check, asked: steps.map(named), onRefusal: named(strong) }
}
