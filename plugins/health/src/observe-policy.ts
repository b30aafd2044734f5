import {
  type Call,
  type Clock,
  deploymentOf,
  type Ending,
  type Lasting,
  type Next,
  type Operation,
  type Policy,
  type Reply,
  SwitchyardError,
} from '@switchyard/contract'
import type { Attempt } from './attempt.ts'
import type { Deployments } from './deployments.ts'
import { toldBy } from './errors.ts'
import type { Findings } from './findings.ts'
import { noteReply, overdue, overtake, patienceOf, startWaiting, stopWaiting } from './latency.ts'
import type { LatencyOptions } from './options.ts'
import type { Pools } from './pools.ts'
import { addSample } from './sample-window.ts'
import type { Transitions } from './transitions.ts'

export interface ObserveOptions {
  readonly name: string
  readonly latency: LatencyOptions
  readonly clock: Pick<Clock, 'monotonic'>
  readonly deployments: Deployments
  readonly pools: Pools
  readonly transitions: Transitions
  readonly findings: Findings
  /** Headers by which a client picks the upstream of an instance itself; only instances that have some. */
  readonly selectors: ReadonlyMap<string, readonly string[]>
  /** Told of every attempt that begins. */
  readonly onAttempt: () => void
}

/**
 * Observes every attempt of every operation, innermost of all, and changes none. Exactly one sample an attempt: where it rejects,
 * where its reply is whole, or where a lasting reply ended.
 */
export function observePolicy(options: ObserveOptions): Policy {
  const { name, latency, clock, deployments, pools, transitions, findings, selectors, onAttempt } = options

  function begin(call: Call): Attempt | undefined {
    const now = clock.monotonic()
    const deployment = deployments.obtain(deploymentOf(call), now)
    if (deployment === undefined) return undefined
    onAttempt()
    transitions.settle(deployment, now)
    deployment.calledAt = now
    deployment.inFlight += 1
    pools.note(deployment, call, now)
    const lane = (call.request as { stream?: unknown } | undefined)?.stream === true ? deployment.streamed : deployment.whole
    if (overdue(lane, now)) findings.waits(deployment, lane, now)
    const foreign = selectors.size > 0 && picksItself(call, selectors.get(call.target))
    const { life } = deployment
    const attempt: Attempt = {
      deployment,
      lane,
      startedAt: now,
      life,
      foreign,
      waits: !foreign,
      order: 0,
      older: undefined,
      newer: undefined,
    }
    if (!foreign) startWaiting(lane, attempt)
    return attempt
  }

  /** Whether it began in the deployment's present life, once what time alone ends has ended. */
  function counts({ deployment, life }: Attempt, now: number): boolean {
    transitions.settle(deployment, now)
    return life === deployment.life
  }

  function replied(attempt: Attempt, reply: unknown): void {
    const { deployment, lane, startedAt } = attempt
    if (attempt.waits) overtake(lane, attempt)
    attempt.waits = false
    const now = clock.monotonic()
    if (attempt.foreign || !counts(attempt, now)) return
    const slow = noteReply(lane, now - startedAt, now, latency)
    if (slow) findings.slow(deployment, lane, now)
    const headers = (reply as { headers?: Readonly<Record<string, string>> } | null | undefined)?.headers
    if (typeof headers === 'object' && headers !== null) findings.quota(deployment, headers, now)
  }

  function endedWell(attempt: Attempt): void {
    const { deployment } = attempt
    deployment.inFlight -= 1
    const now = clock.monotonic()
    if (attempt.foreign || !counts(attempt, now)) return
    deployment.consecutive = 0
    deployment.refusals = 0
    deployment.proven = true
    addSample(deployment.samples, now, true)
    if (deployment.standing.state === 'ejected') transitions.apply(deployment, { type: 'proved' }, now)
  }

  function endedIll(attempt: Attempt, error: unknown, signal: AbortSignal): void {
    const { deployment, lane, startedAt, waits } = attempt
    if (waits) stopWaiting(lane, attempt)
    attempt.waits = false
    deployment.inFlight -= 1
    const told = attempt.foreign ? 'neutral' : toldBy(error, signal)
    if (told === 'neutral') return
    const now = clock.monotonic()
    if (!counts(attempt, now)) return
    if (told === 'limited') {
      findings.limited(deployment, error as SwitchyardError, now)
      return
    }
    // Without this, a deployment that hangs would never be seen: its victims leave.
    if (told === 'left' && !(waits && now - startedAt > patienceOf(lane))) return
    deployment.consecutive += 1
    addSample(deployment.samples, now, false)
    findings.failures(deployment, now)
  }

  async function follow(attempt: Attempt, ended: Promise<Ending>, signal: AbortSignal): Promise<void> {
    let ending: Ending | undefined
    try {
      ending = await ended
    } catch {
      // it must not, and says nothing about the deployment
    }
    if (ending?.outcome === 'complete') endedWell(attempt)
    else endedIll(attempt, ending === undefined ? undefined : errorOf(ending), signal)
  }

  async function observed(call: Call, next: Next): Promise<Reply<Operation>> {
    const attempt = begin(call)
    if (attempt === undefined) return next(call)
    let reply: Reply<Operation>
    try {
      reply = await next(call)
    } catch (error) {
      endedIll(attempt, error, call.signal)
      throw error
    }
    replied(attempt, reply)
    const ended = (reply as Partial<Lasting> | null | undefined)?.ended
    if (typeof ended?.then === 'function') void follow(attempt, ended, call.signal)
    else endedWell(attempt)
    return reply
  }

  return {
    name,
    stage: 'transport',
    operations: '*',
    around: observed,
    explain: async () => ({ decisions: [{ decision: 'observed' }] }),
  }
}

const CUT = new SwitchyardError('UPSTREAM_TRUNCATED', 'the reply broke off')

function errorOf({ outcome, error }: Ending): unknown {
  if (outcome === 'truncated') return CUT
  return outcome === 'aborted' ? undefined : error
}

function picksItself(call: Call, selectors: readonly string[] | undefined): boolean {
  if (selectors === undefined) return false
  const headers = (call.request as { headers?: Readonly<Record<string, string>> } | undefined)?.headers
  return headers !== undefined && selectors.some((name) => headers[name] !== undefined)
}
