import {
  type Alternative,
  type Call,
  type Clock,
  deploymentOf,
  type Next,
  type Policy,
  SwitchyardError,
} from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import { type AnyReply, attemptsOf, send } from '../reply.ts'
import { mayRepeat } from '../retry/backoff.ts'
import type { Settings } from '../settings.ts'
import type { Hedges } from './hedges.ts'
import { moreUseful } from './useful-error.ts'

/** What the policy needs from the plugin that places it. */
export interface FallbackContext {
  readonly name: string
  readonly clock: Pick<Clock, 'now'>
  readonly settings: (operation: string) => Pick<Settings, 'fallback' | 'attempts'>
  /** Where hedges were sent. */
  readonly hedges: Hedges
  /** The alternatives of an operation in the order in which they are tried. */
  readonly ranked?: (operation: string, alternatives: readonly Alternative[]) => readonly Alternative[]
}

/**
 * Tries a call's alternatives in their order, those last that other nodes have given up, until one serves, as the error of each allows and while the call's ledger has attempts
 * left. When none does, rejects with the most useful of the errors; each step is in the trace. Never after a reply was given.
 */
export function fallbackPolicy(context: FallbackContext): Policy {
  const { settings } = context
  return {
    name: context.name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const given = call.alternatives
      if (given === undefined || given.length === 0 || !settings(call.operation).fallback.enabled) return next(call)
      const alternatives = given.filter(isEqual)
      const first = alternatives.length === given.length ? call : { ...call, alternatives }
      return send(first, next).then(undefined, (error: unknown) => fallBack(context, first, next, alternatives, error))
    },
    async explain(call) {
      const { fallback, attempts } = settings(call.operation)
      const alternatives = (call.alternatives ?? []).filter(isEqual)
      if (!fallback.enabled || alternatives.length === 0) return { decisions: [{ decision: 'no-fallback' }] }
      const because = {
        targets: alternatives.map(deploymentOf),
        maxAttempts: attempts.maxAttempts,
        onlyIfUnsent: !call.idempotent,
      }
      return { decisions: [{ decision: 'may-fall-back', because }] }
    },
  }
}

/** Those that are as good as the first: a step down is for the ladder of degradation to take. */
export function isEqual({ attributes }: Alternative): boolean {
  return attributes.degrade === undefined
}

async function fallBack(
  { name, clock, settings, hedges, ranked }: FallbackContext,
  call: Call,
  next: Next,
  given: readonly Alternative[],
  firstError: unknown,
): Promise<AnyReply> {
  const alternatives = ranked?.(call.operation, given) ?? given
  const { fallback, attempts } = settings(call.operation)
  let error = firstError
  let worth = firstError
  let from = deploymentOf(call)
  const stop = (reason: string): unknown => {
    call.trace.decide(name, 'no-fallback', { reason, from, code: codeOf(error) })
    return worth
  }
  for (const [at, alternative] of alternatives.entries()) {
    call.signal.throwIfAborted()
    const { next: elsewhere } = dispositionOf(error)
    if (elsewhere === false || (elsewhere === 'by-option' && !fallback.onContentRefused)) throw stop('not-elsewhere')
    if (!mayRepeat(call, error)) throw stop('not-idempotent')
    if (attemptsOf(call) >= attempts.maxAttempts) throw stop('attempts-used-up')
    if (call.deadline !== undefined && clock.now() >= call.deadline) throw stop('deadline-too-near')
    if (hedges.of(call.trace) === alternative) continue
    const { target, request, attributes } = alternative
    const to = deploymentOf(alternative)
    call.trace.decide(name, 'fallback', { from, to, code: codeOf(error), attempt: attemptsOf(call) + 1 })
    call.trace.measure('fallbackCount', 1)
    const attempt = Math.max(call.attempt, attemptsOf(call)) + 1
    try {
      return await next({ ...call, target, request, attributes, attempt, alternatives: alternatives.slice(at + 1) })
    } catch (failed) {
      error = failed
      worth = moreUseful(worth, failed)
      from = to
    }
  }
  throw stop('no-more-targets')
}

function codeOf(error: unknown): string {
  return SwitchyardError.is(error) ? error.code : 'INTERNAL'
}
