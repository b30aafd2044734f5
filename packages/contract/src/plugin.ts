import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Handlers } from './call.ts'
import type { KernelEvents } from './events.ts'
import type { Policy } from './policy.ts'
import type { Gives, Needs, Port, Resolved } from './port.ts'
import type { Clock, Logger } from './runtime.ts'

export type Awaitable<T> = T | Promise<T>

/** Version of the plugin shell: the shape of a definition and of its set-up. Each port carries a version of its own. */
export const CONTRACT = 1 as const

/** A plugin as its author writes it: plain data and one function. Nothing runs before `setup`. */
export interface PluginDefinition<S extends StandardSchemaV1, R extends Needs, P extends Gives> {
  /** npm package name; it is also the instance name, less its scope, where a placement gives none. */
  readonly name: string
  readonly contract: typeof CONTRACT
  /** Version of the package, shown by `inspect()`. */
  readonly version?: string
  /**
   * Any Standard Schema. An unknown key is an error; if the schema also speaks Standard JSON Schema (zod 4.2 and later do),
   * the kernel names the nearest known option.
   */
  readonly options: S
  readonly requires?: R
  readonly provides?: P
  /** Acquires resources and returns implementations. Registers each release with `ctx.onClose` as soon as it is acquired. */
  setup(ctx: SetupContext<StandardSchemaV1.InferOutput<S>, Resolved<R>>): Awaitable<SetupResult<P>>
}

export interface SetupContext<O, D> {
  /** Validated options. */
  readonly options: O
  /** What `requires` asked for, under the same keys. */
  readonly deps: D
  /** Unique name of this instance: `orders` for a second Postgres. */
  readonly instance: string
  readonly log: Logger
  readonly clock: Clock
  /** Uniform in [0, 1); injected, so that jitter can be tested. */
  readonly random: () => number
  /** Aborts when start-up times out or the kernel closes. */
  readonly signal: AbortSignal
  /** Runs in reverse order of registration, also when `setup` throws half-way; at once if closing has begun. */
  onClose(release: () => Awaitable<void>): void
  /** Observes only: results are ignored, a throw is logged once. */
  on<E extends keyof KernelEvents>(event: E, listener: (payload: KernelEvents[E]) => void): void
  /** Tells observers of an event of the plugin's own; its row joins `KernelEvents` by declaration merging. Never throws. */
  emit<E extends keyof KernelEvents>(event: E, payload: KernelEvents[E]): void
}

export interface SetupResult<P extends Gives> {
  readonly ports: { readonly [K in keyof P]: P[K] extends Port<infer T> ? T : never }
  /** Joined to the pipeline of every operation they name. */
  readonly policies?: readonly Policy[]
  /** Operations that this instance carries out when a call names it as `target`: the innermost end of the pipeline. */
  readonly serves?: Handlers
  /** Cheap readiness probe; rejects with SwitchyardError. Called at most once a second. */
  health?(signal: AbortSignal): Promise<void>
}

/** `as` names the instance; `bind` picks, by the key in `requires`, which instance meets a need. */
export interface Placement {
  readonly as?: string
  readonly bind?: Readonly<Record<string, string>>
}

/** A definition with its input and its place: what an assembly lists. */
export interface Plugin {
  // biome-ignore lint/suspicious/noExplicitAny: an assembly holds plugins of unlike options and ports
  readonly definition: PluginDefinition<any, any, any>
  readonly input: unknown
  readonly placement: Placement
}

/** Options may be left out where none is required. */
export type PluginFactory<I> = (
  ...args: Record<never, never> extends I ? [options?: I, placement?: Placement] : [options: I, placement?: Placement]
) => Plugin

/** Turns a definition into the factory that users call: `redisCache({ url })`, `postgres({ ... }, { as: 'orders' })`. */
export function definePlugin<
  S extends StandardSchemaV1,
  const R extends Needs = Record<never, never>,
  const P extends Gives = Record<never, never>,
>(definition: PluginDefinition<S, R, P>): PluginFactory<StandardSchemaV1.InferInput<S>> {
  return (...args) => ({ definition, input: args[0] ?? {}, placement: args[1] ?? {} })
}
