import {
  type Call,
  type Explained,
  type ModelEnding,
  type ModelReply,
  type Next,
  type Operation,
  type Policy,
  type Principal,
  type Reply,
  SwitchyardError,
  type Trace,
} from '@switchyard/contract'
import { recordingLogger, type StartedPlugin, startPlugin, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { type RateLimitInput, rateLimit } from '../../src/index.ts'
import { type PlainCounters, plainCounters } from './plain-counters.ts'

/** One instance of the plugin over counters that may be shared with others. */
export interface Rig {
  readonly clock: VirtualClock
  readonly counters: PlainCounters
  readonly plugin: StartedPlugin
  readonly log: ReturnType<typeof recordingLogger>
  /** Sends a call through all policies. Default `next`: answers at once. */
  send(call: Call, next?: Next): Promise<Reply<Operation>>
  /** Whether a call that is answered at once is let through. */
  admits(call?: Call): Promise<boolean>
  explain(call: Call): Promise<Explained['decisions']>
}

let seeds = 0

/** Numbers that no other instance draws. */
function seeded(): () => number {
  let state = ++seeds * 7919
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Starts the plugin on a virtual clock. */
export async function startRig(
  options: RateLimitInput,
  shared?: { readonly clock: VirtualClock; readonly counters: PlainCounters },
): Promise<Rig> {
  const clock = shared?.clock ?? virtualClock()
  const counters = shared?.counters ?? plainCounters(clock)
  const log = recordingLogger()
  const plugin = await startPlugin(rateLimit(options), { clock, log, random: seeded(), deps: { counters } })
  const send = (call: Call, next: Next = async () => ({ rows: [], rowCount: 0 })): Promise<Reply<Operation>> =>
    plugin.policies.reduceRight<Next>((inner, policy: Policy) => (one) => policy.around(one, inner), next)(call)
  return {
    clock,
    counters,
    plugin,
    log,
    send,
    async admits(call = sqlCall()) {
      try {
        await send(call)
        return true
      } catch (error) {
        if (SwitchyardError.is(error, 'RATE_LIMITED')) return false
        throw error
      }
    },
    async explain(call) {
      const explained = await Promise.all(plugin.policies.map((policy) => policy.explain?.(call)))
      return explained.flatMap((one) => one?.decisions ?? [])
    },
  }
}

const someone: Principal = { tenant: 'acme', keyId: 'key-1', team: 'red', user: 'ann', roles: [] }

export function by(changes: Partial<Principal>): Pick<Call, 'principal'> {
  return { principal: { ...someone, ...changes } }
}

export function sqlCall(changes: Partial<Call> = {}): Call {
  return Object.freeze({
    id: 'call',
    operation: 'sql.query',
    target: 'orders',
    request: { sql: 'select 1', params: [] },
    principal: someone,
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: {},
    trace: trace(),
    ...changes,
  } as Call)
}

/** A chat that is expected to take `input` tokens, and no more than `output` of output where that is given. */
export function chatCall(input: number, output?: number, changes: Partial<Call> = {}, body: object = {}): Call {
  const request = {
    endpoint: 'chat/completions',
    model: 'demo/echo',
    stream: false,
    body: { ...(output !== undefined && { max_tokens: output }), ...body },
  }
  return sqlCall({
    operation: 'model.invoke',
    target: 'demo',
    request,
    attributes: { inputTokens: input },
    ...changes,
  } as never)
}

/** A reply whose end is the test's to say. */
export function openReply(headers: Record<string, string> = {}): {
  reply: ModelReply
  end(ending?: Partial<ModelEnding>): void
} {
  let end!: (ending: ModelEnding) => void
  const ended = new Promise<ModelEnding>((resolve) => {
    end = resolve
  })
  const reply: ModelReply = { status: 200, headers, body: new Uint8Array(), ended }
  const usage = { inputTokens: 0, outputTokens: 0 }
  return { reply, end: (ending) => end({ outcome: 'complete', usage, usageSource: 'reported', ...ending }) }
}

/** What a promise rejects with; fails where it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<SwitchyardError> {
  try {
    await promise
  } catch (error) {
    return error as SwitchyardError
  }
  throw new Error('it resolved')
}

function trace(): Trace {
  const decisions: Trace['decisions'][number][] = []
  const measures = new Map<string, number>()
  return {
    decisions,
    measures,
    decide: (name, decision, because) => decisions.push({ by: name, decision, ...(because && { because }) }),
    measure: (name, value) => measures.set(name, (measures.get(name) ?? 0) + value),
  }
}
