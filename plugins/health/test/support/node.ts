import {
  type Alternative,
  type Bus,
  type Call,
  type Counters,
  type Ending,
  type Health,
  type HealthChange,
  health as healthToken,
  type ModelProvider,
  type ModelReply,
  type Policy,
  type Reply,
  type SqlDatabase,
  SwitchyardError,
} from '@switchyard/contract'
import {
  type RecordingLogger,
  recordingLogger,
  type StartedPlugin,
  startPlugin,
  type VirtualClock,
  virtualClock,
} from '@switchyard/testkit'
import { type HealthInput, health } from '../../src/index.ts'

/** How the other side answers one attempt. `held` never does by itself. */
export interface Given {
  readonly deployment?: string
  readonly route?: string
  readonly alternatives?: readonly string[]
  readonly stream?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Of the client's request. */
  readonly requestHeaders?: Readonly<Record<string, string>>
}

export interface Node {
  readonly clock: VirtualClock
  readonly log: RecordingLogger
  readonly health: Health
  readonly policy: Policy
  readonly started: StartedPlugin
  /** Changes that were emitted, as `from>to`, oldest first. */
  changes(): readonly string[]
  /** Begins an attempt that is answered by hand. */
  attempt(given?: Given): Attempt
  /** Attempts that end well after `ms` each, one after another. */
  good(times: number, given?: Given, ms?: number): Promise<void>
  /** Attempts that fail at once. */
  bad(times: number, given?: Given, error?: SwitchyardError): Promise<void>
}

export interface Attempt {
  /** Settles as the policy's `around` does. */
  readonly result: Promise<unknown>
  abort(): void
  /** The caller's deadline passes. */
  expire(): void
  reject(error: unknown): Promise<void>
  /** A whole reply, or one that goes on until `end`. */
  reply(lasting?: 'lasting'): Promise<void>
  end(ending: Ending): Promise<void>
}

export interface NodeOptions {
  readonly options?: HealthInput
  readonly clock?: VirtualClock
  readonly bus?: Bus
  readonly counters?: Counters
  readonly sql?: SqlDatabase
  readonly providers?: ReadonlyMap<string, ModelProvider>
  readonly random?: () => number
}

export const unavailable: SwitchyardError = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'it is down')

/** Lets promise chains come to rest. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export async function startNode({
  options,
  clock = virtualClock(),
  bus,
  counters,
  sql,
  providers,
  random,
}: NodeOptions = {}): Promise<Node> {
  const log = recordingLogger()
  const deps = { ...(bus && { bus }), ...(counters && { counters }), ...(sql && { sql }), ...(providers && { providers }) }
  const started = await startPlugin(health(options), { clock, log, deps, ...(random && { random }) })
  const [policy] = started.policies as readonly [Policy]

  function attempt(given: Given = {}): Attempt {
    const controller = new AbortController()
    const reply = Promise.withResolvers<Reply<'model.invoke'>>()
    const ended = Promise.withResolvers<Ending>()
    const call = callOf(given, controller.signal)
    const result = policy.around(call, () => reply.promise as Promise<never>)
    result.catch(() => {})
    return {
      result,
      abort: () => controller.abort(new SwitchyardError('ABORTED', 'the client left')),
      expire: () => controller.abort(new SwitchyardError('TIMEOUT', 'the deadline passed')),
      async reject(error) {
        reply.reject(error)
        await settle()
      },
      async reply(lasting) {
        const common = { status: 200, headers: given.headers ?? {}, body: new Uint8Array() }
        reply.resolve((lasting === undefined ? common : { ...common, ended: ended.promise }) as ModelReply)
        await settle()
      },
      async end(ending) {
        ended.resolve(ending)
        await settle()
      },
    }
  }

  return {
    clock,
    log,
    health: started.port(healthToken),
    policy,
    started,
    changes: () => started.emitted.map(({ payload }) => `${(payload as HealthChange).from}>${(payload as HealthChange).to}`),
    attempt,
    async good(times, given, ms = 0) {
      for (let at = 0; at < times; at += 1) {
        const one = attempt(given)
        if (ms > 0) await clock.advance(ms)
        await one.reply()
      }
    },
    async bad(times, given, error = unavailable) {
      for (let at = 0; at < times; at += 1) await attempt(given).reject(error)
    },
  }
}

export function callOf(given: Given, signal: AbortSignal = new AbortController().signal): Call {
  const { deployment = 'p/acme/a', route, alternatives } = given
  const request = {
    endpoint: 'chat/completions' as const,
    model: 'acme/a',
    body: {},
    stream: given.stream ?? false,
    ...(given.requestHeaders && { headers: given.requestHeaders }),
  }
  return Object.freeze({
    id: 'call',
    operation: 'model.invoke',
    target: deployment.split('/')[0] ?? '',
    request,
    principal: { tenant: 't', keyId: 'k', roles: [] },
    signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: { deployment, ...(route !== undefined && { route }) },
    ...(alternatives && {
      alternatives: alternatives.map((name): Alternative => ({ target: 'p', request, attributes: { deployment: name } })),
    }),
    trace: { decide: () => {}, measure: () => {}, decisions: [], measures: new Map() },
  } satisfies Call)
}
