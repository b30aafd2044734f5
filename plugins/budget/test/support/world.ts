import type {
  Bus,
  Call,
  ModelEnding,
  ModelReply,
  Next,
  Policy,
  Principal,
  SwitchyardError,
  Trace,
  Usage,
} from '@switchyard/contract'
import { recordingLogger, type StartedPlugin, startPlugin, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { type BudgetInput, budget, type Ledger, type LedgerRow, ledger } from '../../src/index.ts'
import { testCatalog } from './catalog.ts'
import { type FakeCounters, fakeCounters } from './fake-counters.ts'
import { type TestSqlite, testSqlite } from './sqlite.ts'

type ModelCall = Call<'model.invoke'>

export const PRINCIPAL: Principal = { tenant: 'acme', keyId: 'key-1', team: 'blue', user: 'ann', roles: [] }

/** What a call is made of, as far as a test cares. */
export interface Asked {
  readonly model?: string
  readonly endpoint?: ModelCall['request']['endpoint']
  readonly body?: Readonly<Record<string, unknown>>
  readonly stream?: boolean
  readonly principal?: Partial<Principal>
  readonly attributes?: ModelCall['attributes']
  readonly attempt?: number
  readonly deadline?: number
  readonly signal?: AbortSignal
  readonly trace?: Trace
  readonly headers?: Readonly<Record<string, string>>
}

export function callOf(asked: Asked = {}): ModelCall {
  const { model = 'acme/m', endpoint = 'chat/completions', stream = false } = asked
  const body = { model, max_tokens: 100, messages: [{ role: 'user', content: 'Say hello.' }], ...asked.body }
  return Object.freeze({
    id: 'call-1',
    operation: 'model.invoke',
    target: 'upstream',
    request: {
      endpoint,
      model,
      body,
      raw: new TextEncoder().encode(JSON.stringify(body)),
      stream,
      ...(asked.headers !== undefined && { headers: asked.headers }),
    },
    principal: { ...PRINCIPAL, ...asked.principal },
    signal: asked.signal ?? new AbortController().signal,
    deadline: asked.deadline,
    attempt: asked.attempt ?? 1,
    idempotent: true,
    attributes: asked.attributes ?? {},
    trace: asked.trace ?? traceOf(),
  })
}

export function traceOf(): Trace {
  const decisions: Trace['decisions'][number][] = []
  const measures = new Map<string, number>()
  return {
    decisions,
    measures,
    decide: (by, decision, because) => decisions.push({ by, decision, ...(because === undefined ? {} : { because }) }),
    measure: (name, value) => measures.set(name, (measures.get(name) ?? 0) + value),
  }
}

export function endingOf(usage: Partial<Usage> = {}, more: Partial<ModelEnding> = {}): ModelEnding {
  return {
    outcome: 'complete',
    usage: { inputTokens: 10, outputTokens: 5, ...usage },
    usageSource: 'reported',
    ...more,
  } as ModelEnding
}

/** A reply that has ended, unless a promise of its end is given. */
export function replyOf(ending: ModelEnding | Promise<ModelEnding> = endingOf(), stream = false): ModelReply {
  async function* events(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('data: {}\n\n')
  }
  return {
    status: 200,
    headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' },
    body: stream ? events() : new TextEncoder().encode('{}'),
    ended: Promise.resolve(ending),
  }
}

/** A budget in a world where time stands still. */
export interface World {
  readonly clock: VirtualClock
  readonly counters: FakeCounters
  readonly sqlite: TestSqlite
  readonly plugin: StartedPlugin
  readonly log: ReturnType<typeof recordingLogger>
  readonly ledger: Ledger
  /** Through all policies of the plugin, outermost first. */
  send(call: ModelCall, next?: Next<'model.invoke'>): Promise<ModelReply>
  /** Rows of the ledger, after everything has come to rest. */
  rows(): Promise<readonly LedgerRow[]>
  /** Lets promises, and one turn of the loop, pass. */
  rest(): Promise<void>
  /** Payloads of events of a name. */
  events(name: string): readonly unknown[]
}

export interface WorldOptions {
  readonly clock?: VirtualClock
  readonly counters?: FakeCounters
  readonly sqlite?: TestSqlite
  readonly bus?: Bus
  readonly catalog?: ReturnType<typeof testCatalog>
  readonly random?: () => number
}

export async function startWorld(input: BudgetInput = {}, given: WorldOptions = {}): Promise<World> {
  const clock = given.clock ?? virtualClock()
  const counters = given.counters ?? fakeCounters(clock)
  const sqlite = given.sqlite ?? testSqlite()
  const log = recordingLogger()
  const deps = { counters, sql: sqlite, catalog: given.catalog ?? testCatalog(), ...(given.bus && { bus: given.bus }) }
  const plugin = await startPlugin(budget(input), { deps, clock, log, random: given.random ?? Math.random })
  const policies = plugin.policies as readonly Policy<'model.invoke'>[]
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  const ledgerOf = plugin.port(ledger)
  return {
    clock,
    counters,
    sqlite,
    plugin,
    log,
    ledger: ledgerOf,
    send(call, next = async () => replyOf()) {
      return policies.reduceRight<Next<'model.invoke'>>((inner, policy) => (one) => policy.around(one, inner), next)(call)
    },
    async rows() {
      await turns()
      await ledgerOf.flush()
      return ledgerOf.rows()
    },
    rest: turns,
    events: (name) => plugin.emitted.filter(({ event }) => event === name).map(({ payload }) => payload),
  }
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
