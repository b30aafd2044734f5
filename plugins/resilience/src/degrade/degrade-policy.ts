import {
  type Alternative,
  type Call,
  type Clock,
  deploymentOf,
  type ModelReply,
  type ModelRequest,
  type Next,
  type Policy,
  SwitchyardError,
} from '@switchyard/contract'
import { dispositionOf } from '../disposition.ts'
import { type AnyReply, attemptsOf, send } from '../reply.ts'
import { mayRepeat, statedDelay } from '../retry/backoff.ts'
import type { DegradeRung, DegradeSettings } from '../settings.ts'
import { answersStatically, DEGRADED_HEADER, staticAnswer } from './static-answer.ts'

/** What the policy needs from the plugin that places it. */
export interface DegradeContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now'>
  readonly settings: (operation: string) => DegradeSettings
}

/**
 * When nothing serves a call, goes down the ladder of its operation: a stale cache entry or a cheaper model, where the call has an
 * alternative whose attribute `degrade` says so, a fixed text, or an honest error with a delay. A reply of a lower rung is marked by
 * header and in the trace. Errors that are the request's own pass untouched.
 */
export function degradePolicy(context: DegradeContext): Policy {
  const { name, settings } = context
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const { ladder } = settings(call.operation)
      if (ladder.length === 0) return next(call)
      return send(call, next).then(undefined, (error: unknown) => descend(context, call, next, error))
    },
    async explain(call) {
      const rungs = settings(call.operation).ladder.filter((rung) => rung === 'fail' || isPossible(rung, call))
      if (rungs.length === 0) return { decisions: [{ decision: 'no-ladder' }] }
      return { decisions: [{ decision: 'may-degrade', because: { rungs } }] }
    },
  }
}

async function descend(context: DegradeContext, call: Call, next: Next, firstError: unknown): Promise<AnyReply> {
  const { name, plugin, settings } = context
  const { ladder, staticAnswer: text, retryAfterMs } = settings(call.operation)
  let error = firstError
  for (const rung of ladder) {
    if (call.signal.aborted || dispositionOf(error).next === false) throw error
    if (rung === 'fail') throw honest(error, plugin, retryAfterMs)
    if (!isPossible(rung, call)) continue
    if (rung === 'static-answer') {
      note(call, name, rung, error)
      return staticAnswer(call.request as ModelRequest, text, call.id, context.clock.now())
    }
    const alternative = steppedDown(call, rung) as Alternative
    if (!mayRepeat(call, error)) throw error
    note(call, name, rung, error, deploymentOf(alternative))
    const { target, request, attributes } = alternative
    const attempt = Math.max(call.attempt, attemptsOf(call)) + 1
    try {
      const reply = await next({ ...call, target, request, attributes, attempt, alternatives: undefined })
      return marked(reply, rung)
    } catch (failed) {
      error = failed
    }
  }
  throw error
}

function isPossible(rung: DegradeRung, call: Call): boolean {
  if (rung === 'static-answer') return call.operation === 'model.invoke' && answersStatically(call.request as ModelRequest)
  return steppedDown(call, rung) !== undefined
}

function steppedDown(call: Call, rung: DegradeRung): Alternative | undefined {
  return call.alternatives?.find(({ attributes }) => attributes.degrade === rung)
}

function note(call: Call, name: string, rung: DegradeRung, error: unknown, to?: string): void {
  const code = SwitchyardError.is(error) ? error.code : 'INTERNAL'
  call.trace.decide(name, 'degraded', { rung, code, ...(to !== undefined && { to }) })
  call.trace.measure('degradedCount', 1)
}

/** Only replies that have headers can be marked by one. */
function marked(reply: AnyReply, rung: DegradeRung): AnyReply {
  const { status, headers, body, ended } = reply as Partial<ModelReply>
  if (status === undefined || headers === undefined || body === undefined || ended === undefined) return reply
  return { status, headers: { ...headers, [DEGRADED_HEADER]: rung }, body, ended }
}

function honest(error: unknown, plugin: string, retryAfterMs: number): unknown {
  if (statedDelay(error) > 0 || !SwitchyardError.is(error)) return error
  const { message, code, retryable, details } = error
  return new SwitchyardError(code, message, {
    plugin: error.plugin ?? plugin,
    retryable,
    retryAfterMs,
    cause: error,
    ...(details !== undefined && { details }),
  })
}
