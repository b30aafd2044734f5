import { type KernelEvents, type Operation, type Port, type Reply, SwitchyardError } from '@switchyard/contract'
import type { Assembly } from './assembly/graph.ts'
import { createEmitter } from './events.ts'
import { type Inspection, inspectRunning, type KernelState } from './inspect.ts'
import { type Explanation, explainCall } from './pipeline/explain.ts'
import { type CallInit, Flight } from './pipeline/flight.ts'
import { onlyPort, type Running, runAssembly } from './running.ts'
import { type KernelOptions, runtimeOf } from './runtime.ts'

/** An assembly at work. Whoever started it closes it. */
export interface Kernel extends AsyncDisposable {
  /**
   * Runs one call through the pipeline of its operation. Rejects with SwitchyardError only: `CLOSED` once closing has begun,
   * `INVALID_REQUEST` for an empty tenant or key, `ABORTED` and `TIMEOUT` as soon as the caller's signal or the deadline says
   * so, `NOT_FOUND` for an unknown target, and whatever policies and handlers reject with. A call that is still in flight
   * when the kernel must close is `ABORTED`, with `retryable` and `details.closing` true.
   */
  call<O extends Operation>(operation: O, init: CallInit<O>): Promise<Reply<O>>
  /** Dry run of `call`: what each policy would decide, and whether the target serves the operation. Reaches no target. */
  explain<O extends Operation>(operation: O, init: CallInit<O>): Promise<Explanation>
  /**
   * The implementation of a port now at work; keep none across a swap.
   * @throws SwitchyardError `DEPENDENCY_MISSING`, `CONFIG_INVALID` where several are and none is named, `CLOSED`.
   */
  get<T>(port: Port<T>, instance?: string): T
  /** Every implementation of a port by instance name, in assembly order; may be empty. */
  all<T>(port: Port<T>): ReadonlyMap<string, T>
  /**
   * Starts `next` beside the present assembly, moves new calls over in one step (`assembly:swapped`), then drains and closes
   * the old one; resolves after that. Calls stay with the assembly they began in. If `next` does not start, nothing changes.
   * Swaps under way at the same time take over in order. Rejects as `startKernel`, or `CLOSED`.
   */
  swap(next: Assembly): Promise<void>
  inspect(): Promise<Inspection>
  readonly state: KernelState
  /** True while calls are admitted. */
  ready(): boolean
  /** Observes. Returns its end. */
  on<E extends keyof KernelEvents>(event: E, listener: (payload: KernelEvents[E]) => void): () => void
  /**
   * Stops admitting, waits for calls in flight, aborts those left at the limit, releases everything in reverse. Never rejects;
   * idempotent: every call returns the first one's promise, and a shorter limit still shortens the wait.
   */
  close(options?: { readonly drainTimeoutMs?: number }): Promise<void>
}

/**
 * Starts an assembly. Rejects with every problem at once in `details.problems`: before any `setup` ran with the code of the
 * problems (`CONFIG_INVALID` where they differ), after it with `STARTUP_FAILED`; nothing stays open then.
 */
export async function startKernel(assembly: Assembly, options: KernelOptions = {}): Promise<Kernel> {
  const runtime = runtimeOf(options)
  const emitter = createEmitter(runtime.log)
  const starting = new AbortController()
  let active = await runAssembly(assembly, runtime, emitter, options.signal ?? starting.signal)
  const alive = new Set<Running>([active])
  let state: KernelState = 'ready'
  let closing: Promise<void> | undefined
  let lastMove: Promise<unknown> = Promise.resolve()

  const retire = async (running: Running, drainMs: number): Promise<void> => {
    await running.retire(drainMs)
    alive.delete(running)
  }

  const move = async (next: Assembly): Promise<Running> => {
    if (state !== 'ready') throw closedError()
    const started = await runAssembly(next, runtime, emitter, starting.signal)
    // Read afresh: the kernel may have been closed while the new assembly started.
    if (isClosing()) {
      await started.retire(0)
      throw closedError()
    }
    const old = active
    active = started
    alive.add(started)
    started.emitter.emit('assembly:swapped', difference(old, started))
    return old
  }
  const isClosing = (): boolean => state !== 'ready'

  const closeOnce = async (drainMs: number): Promise<void> => {
    starting.abort(closedError())
    await lastMove
    await Promise.all([...alive].map((running) => retire(running, drainMs)))
    state = 'closed'
  }

  const kernel: Kernel = {
    call: (operation, init) => {
      const refused = refusal(state, init)
      if (refused !== undefined) return Promise.reject(refused)
      return new Flight(active, operation, init as CallInit).start(active.pipeline(operation).run) as Promise<
        Reply<typeof operation>
      >
    },
    explain: async (operation, init) => {
      const refused = refusal(state, init)
      if (refused !== undefined) throw refused
      const pipeline = active.pipeline(operation)
      return new Flight(active, operation, init as CallInit, true).start((call) => explainCall(pipeline, call))
    },
    get: (port, instance) => onlyPort(kernel.all(port), port, instance),
    all: (port) => {
      if (state === 'closed') throw closedError()
      return active.portsOf(port)
    },
    swap: async (next) => {
      if (state !== 'ready') throw closedError()
      const moved = lastMove.then(() => move(next))
      lastMove = moved.catch(() => {})
      await retire(await moved, runtime.drainTimeoutMs)
    },
    inspect: () => {
      const callsInFlight = [...alive].reduce((sum, running) => sum + running.flights.size, 0)
      const draining = [...alive].filter((running) => running !== active).length
      return inspectRunning(active, { state, callsInFlight, draining })
    },
    get state() {
      return state
    },
    ready: () => state === 'ready',
    on: (event, listener) => emitter.on(event, listener),
    close: (given) => {
      const drainMs = given?.drainTimeoutMs ?? runtime.drainTimeoutMs
      if (closing === undefined) {
        state = 'closing'
        closing = closeOnce(drainMs)
      } else if (state === 'closing') {
        for (const running of alive) void running.retire(drainMs)
      }
      return closing
    },
    [Symbol.asyncDispose]: () => kernel.close(),
  }
  return kernel
}

function closedError(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'the kernel is closing or closed and takes no more work')
}

function refusal(state: KernelState, init: Pick<CallInit, 'principal' | 'deadline'>): SwitchyardError | undefined {
  if (state !== 'ready') return closedError()
  const { principal, deadline } = init
  if (!isName(principal?.tenant) || !isName(principal.keyId)) {
    return new SwitchyardError(
      'INVALID_REQUEST',
      'the principal of a call has no tenant or no keyId; there is no anonymous default',
    )
  }
  if (deadline !== undefined && Number.isNaN(deadline)) {
    return new SwitchyardError('INVALID_REQUEST', 'the deadline of a call is NaN; give epoch milliseconds')
  }
  return undefined
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function difference(old: Running, next: Running): KernelEvents['assembly:swapped'] {
  return {
    added: [...next.instances.keys()].filter((name) => !old.instances.has(name)),
    removed: [...old.instances.keys()].filter((name) => !next.instances.has(name)),
  }
}
