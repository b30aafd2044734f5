import { type Awaitable, type SetupContext, type SetupResult, SwitchyardError } from '@switchyard/contract'
import type { Node } from '../assembly/graph.ts'
import type { Emitter } from '../events.ts'
import { instanceLog, type Runtime } from '../runtime.ts'
import { bounded } from './bounded.ts'
import { checkSetupResult } from './setup-result.ts'

type Deps = Readonly<Record<string, unknown>>
type Result = SetupResult<Record<string, never>>

/** One plugin at work: its set-up, what came of it, and its releases. */
export interface Instance {
  readonly node: Node
  /** What `setup` returned. Throws before `start` has resolved. */
  readonly result: Result
  /** How long `setup` took, by the monotonic clock; undefined until it is ready. */
  readonly startMs: number | undefined
  /** Runs `setup`. Rejects with its error, with `TIMEOUT` at the limit, or with the reason of `abort`. Once. */
  start(deps: Deps): Promise<void>
  /** Aborts a set-up under way. */
  abort(reason: SwitchyardError): void
  /** Runs the releases in reverse; those registered from now on run at once. Never rejects; idempotent. */
  close(): Promise<void>
}

export function createInstance(node: Node, runtime: Runtime, emitter: Emitter): Instance {
  const { instance, plugin } = node
  const { definition } = plugin
  const { clock } = runtime
  const log = instanceLog(runtime.log, instance)
  const controller = new AbortController()
  const releases: (() => Awaitable<void>)[] = []
  const unsubscribe: (() => void)[] = []
  const errors: unknown[] = []
  let result: Result | undefined
  let startMs: number | undefined
  let closed: Promise<void> | undefined

  const release = async (work: () => Awaitable<void>): Promise<void> => {
    try {
      await bounded(work, runtime.closeTimeoutMs, clock, `a release of "${instance}" took over ${runtime.closeTimeoutMs} ms`)
    } catch (error) {
      errors.push(error)
      log.error({ error }, 'a release failed')
    }
  }

  const context = (deps: Deps): SetupContext<unknown, Deps> => ({
    options: node.options,
    deps,
    instance,
    log,
    clock,
    random: runtime.random,
    signal: controller.signal,
    onClose: (work) => {
      if (closed === undefined) releases.push(work)
      else void release(work)
    },
    on: (event, listener) => {
      if (closed === undefined) unsubscribe.push(emitter.on(event, listener))
    },
    emit: (event, payload) => emitter.emit(event, payload),
  })

  const runSetup = (deps: Deps): Promise<Result> =>
    new Promise((resolve, reject) => {
      const giveUp = (): void => {
        cancel()
        reject(controller.signal.reason)
      }
      const cancel = clock.schedule(runtime.startTimeoutMs, () => {
        controller.abort(
          new SwitchyardError('TIMEOUT', `its setup took over ${runtime.startTimeoutMs} ms`, { plugin: instance }),
        )
      })
      controller.signal.addEventListener('abort', giveUp, { once: true })
      new Promise((settle) => settle(definition.setup(context(deps))))
        .then(
          (value) => resolve(checkSetupResult(node, value)),
          (error: unknown) => {
            if (controller.signal.aborted) log.warn({ error }, 'a set-up failed after it was given up')
            throw error
          },
        )
        .catch(reject)
        .finally(() => {
          cancel()
          controller.signal.removeEventListener('abort', giveUp)
        })
    })

  const closeOnce = async (): Promise<void> => {
    controller.abort(new SwitchyardError('CLOSED', `"${instance}" is closing`, { plugin: instance }))
    for (const work of releases.splice(0).reverse()) await release(work)
    const error = errors.length > 1 ? new AggregateError(errors, `${errors.length} releases failed`) : errors[0]
    emitter.emit('plugin:closed', { plugin: definition.name, instance, ...(error === undefined ? {} : { error }) })
    for (const end of unsubscribe) end()
  }

  return {
    node,
    get result() {
      if (result === undefined) throw new SwitchyardError('INTERNAL', `"${instance}" is not ready`)
      return result
    },
    get startMs() {
      return startMs
    },
    start: async (deps) => {
      const startedAt = clock.monotonic()
      const value = await runSetup(deps)
      result = value
      startMs = clock.monotonic() - startedAt
      log.debug({ durationMs: startMs }, 'plugin ready')
      emitter.emit('plugin:ready', { plugin: definition.name, instance, durationMs: startMs })
    },
    abort: (reason) => controller.abort(reason),
    close: () => {
      // Set before the first release runs: one that is registered meanwhile must not be missed.
      if (closed === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        closed = promise
        void closeOnce().then(resolve)
      }
      return closed
    },
  }
}
