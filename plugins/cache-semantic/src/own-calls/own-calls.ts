import {
  type Attributes,
  type Budgets,
  type Call,
  type Clock,
  type ErrorCode,
  isUsedUp,
  type ModelEndpoint,
  type Next,
  quietTrace,
  SwitchyardError,
  type WellKnownAttributes,
} from '@switchyard/contract'
import type { Destination } from './targets.ts'
import { timed } from './timed.ts'

/** The call that a call of our own is made for. */
export interface Occasion {
  readonly call: Call<'model.invoke'>
  readonly next: Next<'model.invoke'>
}

/** What is asked. */
export interface OwnCall {
  readonly purpose: 'judge' | 'embedding'
  readonly endpoint: ModelEndpoint
  readonly to: Destination
  /** Without the model. */
  readonly body: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
}

/** Calls of the level's own, through the gateway. */
export interface OwnCalls {
  /**
   * The JSON of the reply. Rejects with what refused or broke the call, `TIMEOUT`, `UPSTREAM_INVALID` where it is no whole JSON, and
   * `ABORTED` after `close`. Booked to the principal of the occasion under its purpose; with a signal and a deadline of its own, since
   * the client may have left; of low priority, and sent once.
   */
  ask(occasion: Occasion, what: OwnCall): Promise<unknown>
  /** Aborts all that is under way. */
  close(): void
}

/** Codes that say something of who asks, and nothing of who is asked: one tenant's empty budget is no fault of a model that all use. */
const OF_THE_CALLER: ReadonlySet<string> = new Set<ErrorCode>([
  'ABORTED',
  'BUDGET_EXCEEDED',
  'CLOSED',
  'FORBIDDEN',
  'POLICY_REFUSED',
  'RATE_LIMITED',
  'UNAUTHENTICATED',
])

/** Whether a call of our own was refused for its principal's sake. */
export function isOfTheCaller(error: unknown): boolean {
  return SwitchyardError.is(error) && OF_THE_CALLER.has(error.code)
}

const MOST_BYTES = 4 * 1024 * 1024

/** What says of the client's call how it goes, and not who asks. */
const OF_THE_CLIENT: ReadonlySet<string> = new Set<keyof WellKnownAttributes>([
  'deployment',
  'route',
  'inputTokens',
  'cache',
  'cacheMaxAgeMs',
  'cacheTags',
  'session',
  'taskClass',
  'arm',
  'baseline',
  'control',
])

export interface OwnCallsParts {
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly budgets?: Budgets | undefined
  /** Of each hard budget of the caller, used up to which calls of our own are made. */
  readonly maxBudgetShare: number
}

/** Makes the maker of them. */
export function ownCalls({ clock, budgets, maxBudgetShare }: OwnCallsParts): OwnCalls {
  const closing = new AbortController()
  let asked = 0
  return {
    async ask({ call, next }, { purpose, endpoint, to, body, timeoutMs }) {
      if (isUsedUp(budgets, call, maxBudgetShare))
        throw new SwitchyardError('BUDGET_EXCEEDED', `what is left of a budget is for clients: ${purpose} is not asked for`)
      asked += 1
      const id = `${call.id}-${purpose}-${asked}`
      const limit = { clock, ms: timeoutMs, what: `a call for ${purpose}`, signal: closing.signal }
      return timed(async (signal) => {
        const { model, target, deployment } = to
        const reply = await next({
          id,
          operation: 'model.invoke',
          target,
          request: { endpoint, model, body: { model, ...body }, stream: false },
          principal: call.principal,
          signal,
          deadline: clock.now() + timeoutMs,
          attempt: 1,
          // Neither retried nor hedged once it has left.
          idempotent: false,
          attributes: attributesOf(call.attributes, purpose, deployment),
          trace: quietTrace(),
        })
        const { outcome } = reply.body instanceof Uint8Array ? await reply.ended : await broken(reply.body)
        if (outcome !== 'complete' || !(reply.body instanceof Uint8Array)) throw invalid(purpose, 'is not whole')
        if (reply.body.byteLength > MOST_BYTES) throw invalid(purpose, `has more than ${MOST_BYTES} bytes`)
        return parsed(reply.body, purpose)
      }, limit)
    },
    close: () => closing.abort(new SwitchyardError('ABORTED', 'the semantic cache closes', { retryable: false })),
  }
}

function attributesOf(of: Attributes, purpose: OwnCall['purpose'], deployment: string | undefined): Attributes {
  const kept = Object.entries(of).filter(([name]) => !OF_THE_CLIENT.has(name))
  return { ...Object.fromEntries(kept), ...(deployment !== undefined && { deployment }), purpose, priority: 'low' }
}

/** A stream that nobody asked for: leaving it aborts the upstream. */
async function broken(body: AsyncIterable<Uint8Array>): Promise<{ readonly outcome: 'aborted' }> {
  await body[Symbol.asyncIterator]().return?.()
  return { outcome: 'aborted' }
}

function parsed(bytes: Uint8Array, purpose: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid(purpose, 'is no JSON', cause)
  }
}

function invalid(purpose: string, wrong: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `the reply to a call for ${purpose} ${wrong}`, { retryable: false, cause })
}
