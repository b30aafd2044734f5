import {
  type Call,
  type Clock,
  type Explained,
  type ModelReply,
  type Next,
  type Operation,
  type Policy,
  type Reply,
  type Stage,
  SwitchyardError,
} from '@switchyard/contract'
import type { Exceeded } from './exceeded.ts'
import type { Gate } from './gate.ts'
import { Grant, type GrantContext } from './grant.ts'
import { withLimits } from './headers.ts'
import type { RateLimitOptions } from './options.ts'
import { counterRows, type Plan, type Plans } from './plan.ts'
import { type Refused, rateLimited } from './refusal.ts'
import { reserve } from './reserve.ts'
import { type TokenNeed, tokenNeed, withEstimate } from './tokens.ts'

/** What the policy needs from the plugin that places it. */
export interface LimitContext extends GrantContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly stage: Stage
  /** Whether replies tell what is left. */
  readonly tells: boolean
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly options: Pick<RateLimitOptions, 'maxWaitMs' | 'expectedOutputTokens'>
  readonly plans: Plans
  readonly gate: Gate
  readonly exceeded: Exceeded
}

/** How long a call waits for a slot before it looks again, at most. */
const SLOT_LOOK_MS = 100
/** Calls that may wait for room at once: each wakes up for every slot, and most find it taken. */
const MOST_WAITING = 1000
/** The measure of how long a call waited for room, in ms. */
const WAITED = 'rateLimitWaitMs'
/** What a store says of a request that it would refuse at any time: our own doing, and not its absence. */
const OWN_FAULT: ReadonlySet<string> = new Set(['INVALID_REQUEST', 'CONFLICT'])

/**
 * Lets a call through when every limit that it falls under has room, and counts it; otherwise rejects `RATE_LIMITED`, and nothing was
 * counted. Where the counters are away, as `whenStoreAway` says.
 */
export function limitPolicy(context: LimitContext): Policy {
  const { name, stage, plans, options, tells } = context
  let waiting = 0

  async function pass(call: Call, next: Next, plan: Plan): Promise<Reply<Operation>> {
    const need = plan.tokens ? tokenNeed(call, options.expectedOutputTokens) : undefined
    let taken = await take(context, call, plan, need)
    if (taken !== undefined && !(taken instanceof Grant)) {
      if (options.maxWaitMs > 0 && waiting < MOST_WAITING) {
        waiting++
        try {
          taken = await takeLater(context, call, plan, need, taken)
        } finally {
          waiting--
        }
      }
      if (taken !== undefined && !(taken instanceof Grant)) throw refuse(context, call, taken)
    }
    const grant = taken
    if (call.signal.aborted) {
      await grant?.giveBack()
      throw call.signal.reason
    }
    const onwards = need === undefined ? call : withEstimate(call, need)
    if (grant === undefined) return next(onwards)
    let reply: Reply<Operation>
    try {
      reply = await next(onwards)
    } catch (error) {
      grant.threw(error)
      throw error
    }
    grant.replied(reply)
    return tells ? told(reply, grant) : reply
  }

  return {
    name,
    stage,
    operations: '*',
    around(call, next) {
      const plan = plans.of(call)
      return plan === undefined ? next(call) : pass(call, next, plan)
    },
    explain: (call) => explain(context, call),
  }
}

/** One try. Undefined where the call may pass uncounted. */
async function take(
  context: LimitContext,
  call: Call,
  plan: Plan,
  need: TokenNeed | undefined,
): Promise<Grant | Refused | undefined> {
  const { gate, clock } = context
  for (;;) {
    const counters = gate.at(clock.now())
    if (counters === undefined) return undefined
    const local = gate.isLocal(counters)
    try {
      const taken = await reserve(context, counters, local, call, plan, need)
      if (!local) gate.answered()
      return taken
    } catch (error) {
      if (local || (SwitchyardError.is(error) && OWN_FAULT.has(error.code))) throw error
      gate.failed(error)
    }
  }
}

async function takeLater(
  context: LimitContext,
  call: Call,
  plan: Plan,
  need: TokenNeed | undefined,
  first: Refused,
): Promise<Grant | Refused | undefined> {
  const { clock, random, options } = context
  const since = clock.monotonic()
  let taken: Grant | Refused | undefined = first
  while (taken !== undefined && !(taken instanceof Grant)) {
    const { quota, retryAfterMs, never } = taken
    const waitMs = quota.unit === 'concurrency' ? Math.ceil((SLOT_LOOK_MS * (1 + random())) / 2) : retryAfterMs
    const wouldEndAt = clock.now() + waitMs
    const waited = clock.monotonic() - since
    if (never || waited + waitMs > options.maxWaitMs || (call.deadline !== undefined && wouldEndAt >= call.deadline)) break
    await clock.sleep(waitMs, call.signal)
    taken = await take(context, call, plan, need)
  }
  call.trace.measure(WAITED, clock.monotonic() - since)
  return taken
}

function refuse({ name, plugin, clock, exceeded }: LimitContext, call: Call, refused: Refused): SwitchyardError {
  const { limit, unit, per, count } = refused.quota
  call.trace.decide(name, 'refused', { limit, unit, per, count, retryAfterMs: refused.retryAfterMs })
  exceeded.note(refused.quota, call, clock.now())
  return rateLimited(call, plugin, refused)
}

/** Only replies that have headers can tell. */
function told(reply: Reply<Operation>, grant: Grant): Reply<Operation> {
  const { status, headers, body, ended } = (reply ?? {}) as Partial<ModelReply>
  if (status === undefined || headers === undefined || body === undefined || ended === undefined) return reply
  return { status, headers: withLimits(headers, grant), body, ended }
}

async function explain({ plans, gate, clock, options }: LimitContext, call: Call): Promise<Explained> {
  const plan = plans.of(call)
  if (plan === undefined) return { decisions: [{ decision: 'no-limit' }] }
  const need = plan.tokens ? tokenNeed(call, options.expectedOutputTokens) : undefined
  const decisions: Explained['decisions'][number][] = []
  for (const group of plan.groups) {
    const counters = gate.counters(clock.now())
    const local = counters !== undefined && gate.isLocal(counters)
    const rows = counterRows(group, need, local)
    let sums: readonly bigint[] | undefined
    try {
      sums = await counters?.read(rows.map(({ key }) => key))
    } catch {
      sums = undefined
    }
    for (const [at, { quota }] of group.rows.entries()) {
      const { limit: name, unit, per, count } = quota
      const { amount, limit = 0n } = rows[at] as (typeof rows)[number]
      const sum = sums?.[at]
      const because = { limit: name, unit, per, count, ...(unit !== 'concurrency' && { windowMs: quota.windowMs }) }
      if (sum === undefined) decisions.push({ decision: 'unknown', because: { ...because, reason: 'store-away' } })
      else {
        const left = limit > sum ? limit - sum : 0n
        const decision = sum + amount <= limit ? 'has-room' : 'refused'
        decisions.push({ decision, because: { ...because, remaining: Number(left), needs: Number(amount) } })
      }
    }
  }
  return { decisions }
}
