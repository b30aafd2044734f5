import {
  type Awaitable,
  type Clock,
  type Handlers,
  type KernelEvents,
  type Logger,
  type Plugin,
  type Policy,
  type Port,
  type SetupContext,
  type SetupResult,
  SwitchyardError,
} from '@switchyard/contract'
import { virtualClock } from '../clock/virtual-clock.ts'
import { checkDefinition, checkResult, resolveDependencies, validateOptions } from './check-plugin.ts'
import { recordingLogger } from './recording-logger.ts'

export interface StartPluginOptions {
  /** What the plugin requires, under its keys. An optional port may be left out, and so may a `many`, which is then an empty map. */
  readonly deps?: Readonly<Record<string, unknown>>
  /** Default: a virtual clock. */
  readonly clock?: Clock
  /** Default: a recording logger. */
  readonly log?: Logger
  /** Default: always 0.5. */
  readonly random?: () => number
}

/** An event that a plugin emitted. */
export interface EmittedEvent {
  readonly event: keyof KernelEvents
  readonly payload: KernelEvents[keyof KernelEvents]
}

/** A plugin that was set up alone. */
export interface StartedPlugin {
  /** Implementations under the keys of `provides`. */
  readonly ports: Readonly<Record<string, unknown>>
  readonly policies: readonly Policy[]
  readonly serves: Handlers
  /** Undefined where the plugin has no health probe. */
  readonly health: ((signal?: AbortSignal) => Promise<void>) | undefined
  /** As the plugin's schema made them. */
  readonly options: unknown
  /** Whether `setup` took the injected clock. */
  readonly usesClock: boolean
  /** Events that the plugin emitted, oldest first. */
  readonly emitted: readonly EmittedEvent[]
  /** The implementation of a port that the plugin provides; TypeError for another. */
  port<T>(port: Port<T>): T
  /** Hands an event to the plugin's listeners; a throw reaches the test. */
  emit<E extends keyof KernelEvents>(event: E, payload: KernelEvents[E]): void
  /** Aborts `ctx.signal` and runs what `onClose` registered, in reverse, all of it; then rejects with what failed. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Sets one plugin up with no kernel. Rejects with SwitchyardError, as a kernel would: `CONFIG_INVALID` for options,
 * `CONTRACT_UNSUPPORTED`, `DEPENDENCY_MISSING`, and `STARTUP_FAILED` where `setup` throws or returns other ports than it promised;
 * what was acquired by then is released.
 */
export async function startPlugin(plugin: Plugin, given: StartPluginOptions = {}): Promise<StartedPlugin> {
  const { definition } = plugin
  checkDefinition(definition)
  const options = await validateOptions(definition, plugin.input)
  const deps = resolveDependencies(definition, given.deps ?? {})
  const clock = given.clock ?? virtualClock()
  const closing = new AbortController()
  const releases: (() => Awaitable<void>)[] = []
  const listeners = new Map<keyof KernelEvents, ((payload: never) => void)[]>()
  const emitted: EmittedEvent[] = []
  let usesClock = false
  let closed: Promise<void> | undefined

  const ctx: SetupContext<unknown, Readonly<Record<string, never>>> = {
    options,
    deps: deps as Readonly<Record<string, never>>,
    instance: plugin.placement.as ?? definition.name.replace(/^@[^/]+\//, ''),
    log: given.log ?? recordingLogger(),
    get clock() {
      usesClock = true
      return clock
    },
    random: given.random ?? (() => 0.5),
    signal: closing.signal,
    onClose(release) {
      releases.push(release)
      if (closed !== undefined) closed = closed.then(releaseAll)
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener as (payload: never) => void])
    },
    emit(event, payload) {
      emitted.push({ event, payload })
    },
  }

  async function releaseAll(): Promise<void> {
    const failures: unknown[] = []
    for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
      try {
        await release()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1)
      throw new AggregateError(failures, `${definition.name}: ${failures.length} releases failed at close`)
  }

  function close(): Promise<void> {
    if (closed === undefined) {
      closing.abort(new SwitchyardError('CLOSED', `${definition.name} was closed by the test`))
      closed = releaseAll()
    }
    return closed
  }

  let result: SetupResult<Record<string, Port>>
  try {
    result = await definition.setup(ctx)
    checkResult(definition, result)
  } catch (error) {
    await close().catch(() => {})
    if (SwitchyardError.is(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwitchyardError('STARTUP_FAILED', `setup of ${definition.name} threw: ${reason}`, { cause: error })
  }

  return {
    ports: result.ports,
    policies: result.policies ?? [],
    serves: result.serves ?? {},
    health: result.health === undefined ? undefined : (signal = closing.signal) => (result.health as Probe)(signal),
    options,
    usesClock,
    emitted,
    port<T>(port: Port<T>): T {
      const provides: Readonly<Record<string, Port>> = definition.provides ?? {}
      for (const [key, token] of Object.entries(provides)) {
        if (token.id === port.id && token.version === port.version) return result.ports[key] as T
      }
      throw new TypeError(`${definition.name} does not provide ${port.id}@${port.version}; add it to \`provides\``)
    },
    emit(event, payload) {
      for (const listener of listeners.get(event) ?? []) listener(payload as never)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Probe = NonNullable<SetupResult<Record<string, Port>>['health']>
