import { type Alternative, type Call, type Clock, deploymentOf, type Policy } from '@switchyard/contract'
import { isEqual } from '../fallback/fallback-policy.ts'
import type { Hedges } from '../fallback/hedges.ts'
import type { Lane } from '../lane.ts'
import type { Lanes } from '../lanes.ts'
import { attemptsOf, isStreamed } from '../reply.ts'
import { HedgedCall } from './hedged-call.ts'

/** What the policy needs from the plugin that places it. */
export interface HedgeContext {
  readonly name: string
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly lanes: Lanes
  readonly hedges: Hedges
  /** Whether the node sheds: then nothing is sent twice. */
  readonly sheds: () => boolean
}

type Chance =
  | { readonly hedge: true; readonly delayMs: number }
  | { readonly hedge: false; readonly reason: 'off' | 'not-idempotent' | 'no-alternative' | 'too-few-samples' }

/**
 * Sends a second copy of a call to another target when the first has not replied by the 95th percentile of its target's times. The
 * first reply wins and the other copy is aborted at once. Only for calls that may be repeated, for a share of them, at most one a call.
 */
export function hedgePolicy(context: HedgeContext): Policy {
  const { name, clock, lanes } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      const lane = lanes.of(call, now)
      const chance = chanceOf(lane, call, now)
      if (!chance.hedge) return next(call)
      lane.hedges.pay()
      return new HedgedCall(clock, call, next, () => second(context, lane, call)).start(chance.delayMs)
    },
    async explain(call) {
      const now = clock.now()
      const chance = chanceOf(lanes.of(call, now), call, now)
      if (!chance.hedge) return { decisions: [{ decision: 'no-hedge', because: { reason: chance.reason } }] }
      return { decisions: [{ decision: 'may-hedge', because: { afterMs: chance.delayMs } }] }
    },
  }
}

function chanceOf(lane: Lane, call: Call, now: number): Chance {
  const { hedge } = lane.settings
  if (!hedge.enabled) return { hedge: false, reason: 'off' }
  if (!call.idempotent) return { hedge: false, reason: 'not-idempotent' }
  if (call.alternatives?.some(isEqual) !== true) return { hedge: false, reason: 'no-alternative' }
  const delayMs = lane.timesOf(isStreamed(call)).p95(now, hedge.minSamples)
  return delayMs === undefined ? { hedge: false, reason: 'too-few-samples' } : { hedge: true, delayMs }
}

/** The second copy, when its time has come; undefined where it must not be sent. Takes a token. */
function second({ name, clock, lanes, hedges, sheds }: HedgeContext, lane: Lane, call: Call): Call | undefined {
  const now = clock.now()
  const refuse = (reason: string): undefined => call.trace.decide(name, 'no-hedge', { reason }) as undefined
  if (hedges.of(call.trace) !== undefined) return refuse('hedged-before')
  if (sheds()) return refuse('shedding')
  if (lane.breaker.state === 'half-open') return refuse('half-open')
  if (attemptsOf(call) >= lane.settings.attempts.maxAttempts) return refuse('attempts-used-up')
  const alternatives = call.alternatives?.filter(isEqual) ?? []
  const chosen = alternatives.find((each) => lanes.canReplace(lane, call, each, now))
  if (chosen === undefined) return refuse('no-free-target')
  if (!lane.hedges.take()) return refuse('budget-dry')
  hedges.set(call.trace, chosen)
  const to = deploymentOf(chosen)
  call.trace.decide(name, 'hedge', { from: lane.deployment, to, attempt: attemptsOf(call) + 1 })
  call.trace.measure('hedgeCount', 1)
  return copyOf(call, chosen, alternatives)
}

function copyOf(call: Call, chosen: Alternative, alternatives: readonly Alternative[]): Call {
  const { target, request, attributes } = chosen
  const others = alternatives.filter((alternative) => alternative !== chosen)
  return { ...call, target, request, attributes, attempt: Math.max(call.attempt, attemptsOf(call)) + 1, alternatives: others }
}
