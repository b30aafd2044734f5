import { type Call, SwitchyardError, type TargetHealth } from '@switchyard/contract'
import { holds } from './conditions.ts'
import type { Knowledge, RequestFacts } from './facts.ts'
import { type Unfit, unfitness } from './fitness.ts'
import { unitHash } from './hash.ts'
import { RankKnowledge } from './rank-knowledge.ts'
import { belowFloor } from './strategies/scores.ts'
import type { Candidate, RankContext, Ranked } from './strategies/strategy.ts'
import type { Route, Target } from './table.ts'

/** Why a target was left out. */
export interface LeftOut {
  readonly target: Target
  readonly why: 'condition' | Unfit['lacks'] | 'endpoint' | 'quality' | 'disabled' | 'ejected'
  readonly because: string
}

export interface Ranking {
  /** Best first, never empty. */
  readonly order: readonly Ranked[]
  readonly leftOut: readonly LeftOut[]
  /** True where so few targets are well that health was not looked at. */
  readonly panic: boolean
}

/**
 * Puts a route's targets in order for one call. Pure but for `random`.
 * @throws SwitchyardError where none is left: `UNSUPPORTED` for a missing capability, `INVALID_REQUEST` (`context_length_exceeded`) for
 * a prompt that fits nowhere, naming the nearest model that has room, `NOT_FOUND` where no condition holds, `UPSTREAM_UNAVAILABLE`.
 */
export function rank(route: Route, call: Call<'model.invoke'>, facts: RequestFacts, knowledge: Knowledge): Ranking {
  const leftOut: LeftOut[] = []
  const floor = route.scores?.floor
  const fit = route.targets.filter((target) => {
    const why =
      obstacle(target, call, facts, knowledge) ?? (floor === undefined ? undefined : tooLow(route, target, call, facts))
    if (why !== undefined) leftOut.push(why)
    return why === undefined
  })
  if (fit.length === 0) throw nothingFits(route.name, leftOut, facts, knowledge)
  const { well, panic } = wellOf(fit, knowledge, leftOut)
  if (well.length === 0) throw allDisabled(route.name, leftOut)
  const candidates = well.map(
    (target): Candidate => ({
      target,
      health: knowledge.healthOf(target.deployment),
      expectedCost:
        route.costs === 'none'
          ? undefined
          : route.costs === 'list'
            ? knowledge.costOf(target, facts)
            : knowledge.expectedCostOf(target, facts),
    }),
  )
  const context = new RankKnowledge(call, facts, knowledge, facts.stickyKey(route.stickyBy))
  return { order: withCanaries(route.rank(call, candidates, context), context), leftOut, panic }
}

function tooLow({ scores }: Route, target: Target, call: Call<'model.invoke'>, facts: RequestFacts): LeftOut | undefined {
  if (scores?.floor === undefined) return undefined
  const because = belowFloor(scores, facts.taskClass, target.model, call.principal.tenant)
  return because === undefined ? undefined : { target, why: 'quality', because }
}

function obstacle(target: Target, call: Call<'model.invoke'>, facts: RequestFacts, knowledge: Knowledge): LeftOut | undefined {
  if (!holds(target.when, call, facts)) return { target, why: 'condition', because: 'its condition does not hold' }
  const missing = knowledge.missing(target.instance, call.request)
  if (missing !== undefined) return { target, why: 'endpoint', because: missing }
  if (!knowledge.checkCapabilities) return undefined
  const unfit = unfitness(knowledge.entryOf(target), facts)
  return unfit === undefined ? undefined : { target, why: unfit.lacks, because: unfit.because }
}

/** Below half of a pool well, health is a bad guide, and a bad guess better than none; what a person took out stays out. */
function wellOf(
  fit: readonly Target[],
  knowledge: Knowledge,
  leftOut: LeftOut[],
): { readonly well: readonly Target[]; readonly panic: boolean } {
  const enabled: Target[] = []
  const ejected: { readonly target: Target; readonly health: TargetHealth }[] = []
  for (const target of fit) {
    const health = knowledge.healthOf(target.deployment)
    if (health?.state === 'disabled') leftOut.push({ target, why: 'disabled', because: health.reason })
    else {
      enabled.push(target)
      if (health?.state === 'ejected') ejected.push({ target, health })
    }
  }
  if (ejected.length === 0) return { well: enabled, panic: false }
  if (ejected.length * 2 > enabled.length) return { well: enabled, panic: true }
  const out = new Set(ejected.map(({ target }) => target))
  for (const { target, health } of ejected) leftOut.push({ target, why: 'ejected', because: health.reason })
  return { well: enabled.filter((target) => !out.has(target)), panic: false }
}

/** A canary comes first for its share of calls and last for all others. Sticky calls are drawn by their key. */
function withCanaries(order: readonly Ranked[], { random, stickyKey }: RankContext): readonly Ranked[] {
  if (!order.some(({ target }) => target.canaryPercent !== undefined)) return order
  const drawn = 100 * (stickyKey === undefined ? random() : unitHash(`${stickyKey}\ncanary`))
  const first: Ranked[] = []
  const usual: Ranked[] = []
  const last: Ranked[] = []
  let from = 0
  for (const candidate of order) {
    const share = candidate.target.canaryPercent
    if (share === undefined) usual.push(candidate)
    else {
      const chosen = drawn >= from && drawn < from + share
      from += share
      if (chosen) first.push(candidate)
      else last.push(candidate)
    }
  }
  return [...first, ...usual, ...last]
}

function listed(leftOut: readonly LeftOut[]): string {
  return leftOut.map(({ target, because }) => `${target.model} (${because})`).join(', ')
}

function nothingFits(name: string, leftOut: readonly LeftOut[], facts: RequestFacts, knowledge: Knowledge): SwitchyardError {
  const reasons = new Set(leftOut.map(({ why }) => why))
  reasons.delete('condition')
  const message = `no target of ${name} can serve this request: ${listed(leftOut)}`
  if (reasons.size === 0) {
    return new SwitchyardError('NOT_FOUND', message, { details: { code: 'model_not_found', param: 'model' } })
  }
  if (reasons.size === 1 && reasons.has('context')) {
    const nearest = knowledge.nearestWithRoom(
      leftOut.map(({ target }) => target),
      facts,
    )
    const mend = nearest === undefined ? 'no model that is on would have room' : `${nearest} would have room`
    return new SwitchyardError('INVALID_REQUEST', `${message}; ${mend}`, {
      details: { code: 'context_length_exceeded', param: 'messages', ...(nearest !== undefined && { nearest }) },
    })
  }
  return new SwitchyardError('UNSUPPORTED', message, { details: { lacks: [...reasons] } })
}

function allDisabled(name: string, leftOut: readonly LeftOut[]): SwitchyardError {
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', `every target of ${name} is taken out: ${listed(leftOut)}`, {
    retryable: false,
  })
}
