import type { SwitchyardError } from './error.ts'
import type { ModelReply, ModelRequest } from './ports/model.ts'
import type { SqlQuery, SqlResult } from './ports/sql.ts'

/**
 * What can be called, one row an operation. A package adds its own by declaration merging:
 * `declare module '@switchyard/contract' { interface Operations { 'fax.send': { request: Fax; reply: Receipt } } }`.
 */
export interface Operations {
  'model.invoke': { request: ModelRequest; reply: ModelReply }
  'sql.query': { request: SqlQuery; reply: SqlResult }
}

export type Operation = keyof Operations
export type Request<O extends Operation> = Operations[O]['request']
export type Reply<O extends Operation> = Operations[O]['reply']

/** Carries out an operation at its target. Rejects with SwitchyardError; any other throw becomes `INTERNAL`. */
export type Handler<O extends Operation> = (call: Call<O>) => Promise<Reply<O>>
export type Handlers = { readonly [O in Operation]?: Handler<O> }

/** One call on its way. Frozen: a policy that changes it hands a copy to `next`. */
export interface Call<O extends Operation = Operation> {
  readonly id: string
  readonly operation: O
  /** Plugin instance that will serve it; a routing policy replaces it. */
  readonly target: string
  readonly request: Request<O>
  readonly principal: Principal
  /** The caller's signal and the deadline, merged by the kernel. Its reason is a SwitchyardError: `ABORTED` or `TIMEOUT`. */
  readonly signal: AbortSignal
  /** Clock time in epoch ms; undefined = none. */
  readonly deadline: number | undefined
  /** 1-based; a retry increments it. */
  readonly attempt: number
  /** False forbids retry and hedging once a byte has left, unless an idempotency key is present. */
  readonly idempotent: boolean
  /** Route, price class, region...: flat, loggable, free of secrets. Those with a meaning to several plugins are `WellKnownAttributes`. */
  readonly attributes: Attributes
  /** Where else the call may be served, best first; set by a routing policy, tried by one that falls back or hedges. */
  readonly alternatives?: readonly Alternative<O>[] | undefined
  /** Where policies note what they decided and measured; the one part of a call that is written to. */
  readonly trace: Trace
}

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** Attributes that one plugin sets and others read. All may be absent. */
export interface WellKnownAttributes {
  /** What breakers, slots, health and prices count by: one model at one provider instance, such as `provider-openai/openai/gpt-5.4`. */
  readonly deployment?: string
  /** Public name that a client asked for, where routing replaced it. */
  readonly route?: string
  /** Class for shedding and queues. Absent: `normal`. */
  readonly priority?: 'low' | 'normal' | 'high'
  /** Tokens that the request is expected to bring in, estimated. */
  readonly inputTokens?: number
  /** What a call of our own is made for; absent for the call of a client. It is booked to the client's principal all the same. */
  readonly purpose?: 'cascade' | 'shadow' | 'judge' | 'audit' | 'embedding' | 'refresh' | 'probe'
  /**
   * How a cache may serve the call, in the words of HTTP's Cache-Control: `no-cache` asks anew and keeps the answer, `no-store` goes past
   * the cache, `only-if-cached` rejects `NOT_FOUND` instead of asking upstream.
   */
  readonly cache?: 'no-cache' | 'no-store' | 'only-if-cached'
  /** Oldest answer that will do, in ms. */
  readonly cacheMaxAgeMs?: number
  /** Tags that the answer is to bear, with commas between. */
  readonly cacheTags?: string
  /** Conversation that a call belongs to, as the client names it or as routing tells it apart. */
  readonly session?: string
  /** Kind of question and way of answering it, where a learned strategy chose: both stand in the books. */
  readonly taskClass?: string
  readonly arm?: string
  /** Catalog id of the model that would have served without routing: savings are counted against it. */
  readonly baseline?: string
  /** Drawn at random to be served by the baseline, so that savings can be measured. */
  readonly control?: boolean
}

/** Another way to serve a call: what differs from it. */
export interface Alternative<O extends Operation = Operation> {
  readonly target: string
  readonly request: Request<O>
  readonly attributes: Attributes
}

/** What guards count a call by: its `deployment`, else its target. */
export function deploymentOf(call: Pick<Call, 'attributes' | 'target'>): string {
  const { deployment } = call.attributes as WellKnownAttributes
  return typeof deployment === 'string' && deployment !== '' ? deployment : call.target
}

/** Who asks. `tenant` is part of every shared key; there is no anonymous default, and an empty tenant or key is an error. */
export interface Principal {
  readonly tenant: string
  readonly keyId: string
  readonly team?: string
  readonly user?: string
  readonly roles: readonly string[]
  /** What it may call. Absent where whoever made the principal answers for that: code of the same process, no client. */
  readonly scopes?: Scopes
}

/** Lists of what is allowed: `['*']` is anything, and an empty list nothing. */
export interface Scopes {
  /** Names of models, as clients say them, or patterns in which `*` stands for any text. */
  readonly models: readonly string[]
  readonly endpoints: readonly string[]
}

export interface Decision {
  /** Name of the policy or plugin instance that decided. */
  readonly by: string
  readonly decision: string
  readonly because?: Readonly<Record<string, unknown>>
}

export interface Trace {
  decide(by: string, decision: string, because?: Readonly<Record<string, unknown>>): void
  /** Adds `value` to the measure of that name; the unit is the name's last word (`Ms`, `Bytes`, `Tokens`, `Count`). */
  measure(name: string, value: number): void
  /** In the order they were made. */
  readonly decisions: readonly Decision[]
  readonly measures: ReadonlyMap<string, number>
}

/**
 * How a reply that goes on after its promise resolved came to its end. A reply with an `ended` promise of this stays one call
 * until it settles: slots, deadlines, signals and events last as long.
 */
export interface Ending {
  readonly outcome: 'complete' | 'truncated' | 'aborted' | 'error'
  /** Present unless `complete`. */
  readonly error?: SwitchyardError
}

/** Implemented by replies that outlive their promise, such as streams. `ended` settles exactly once and never rejects. */
export interface Lasting {
  readonly ended: Promise<Ending>
}
