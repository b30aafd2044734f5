import { type Operation, type Port, SwitchyardError } from '@switchyard/contract'
import { planAssembly } from './assembly/check.ts'
import { type Assembly, portName, samePort } from './assembly/graph.ts'
import { createEmitter, type Emitter } from './events.ts'
import { createHealth, type Health } from './lifecycle/health.ts'
import type { Instance } from './lifecycle/instance.ts'
import { startInstances } from './lifecycle/start.ts'
import { composePipeline, operationsOf, type Pipeline } from './pipeline/compose.ts'
import type { Tower } from './pipeline/flight.ts'
import { Flights } from './pipeline/flights.ts'
import { assemblyError, sharedCode } from './problem.ts'
import type { Runtime } from './runtime.ts'

/** One assembly at work: its instances, its pipelines and the calls that are on their way through them. */
export interface Running extends Tower {
  readonly instances: ReadonlyMap<string, Instance>
  readonly pipelines: ReadonlyMap<Operation, Pipeline>
  readonly emitter: Emitter
  /** The pipeline of an operation; one that nobody named has only the policies for `*`. */
  pipeline(operation: Operation): Pipeline
  /** Every implementation of a port, by instance, in assembly order. */
  portsOf<T>(port: Port<T>): ReadonlyMap<string, T>
  health(instance: string): Promise<Health>
  /**
   * Waits for the calls in flight, aborts those left after `drainMs`, then releases everything. Never rejects. A second call
   * may only shorten the wait.
   */
  retire(drainMs: number): Promise<void>
}

/** Checks and starts an assembly. Rejects with every problem at once; nothing is left open then. */
export async function runAssembly(
  assembly: Assembly,
  runtime: Runtime,
  parent: Emitter,
  signal: AbortSignal,
): Promise<Running> {
  const plan = await planAssembly(assembly)
  if (plan.problems.length > 0) {
    throw assemblyError(sharedCode(plan.problems), 'the assembly cannot start', plan.problems)
  }
  const { clock, log } = runtime
  const emitter = createEmitter(log, parent)
  const { instances, close } = await startInstances(plan, runtime, emitter, signal)
  const list = [...instances.values()]
  const pipelines = new Map<Operation, Pipeline>()
  for (const operation of operationsOf(list)) pipelines.set(operation, composePipeline(operation, list, clock))
  const healths = new Map(list.map((instance) => [instance.node.instance, createHealth(instance, runtime)]))
  const flights = new Flights()
  const idle = Promise.withResolvers<void>()
  let retiring: Promise<void> | undefined

  const abortLeft = (): void => {
    const reason = new SwitchyardError('ABORTED', 'the call was still in flight when its assembly had to close', {
      retryable: true,
      details: { closing: true },
    })
    for (const flight of flights) flight.abort(reason)
  }

  return {
    clock,
    emitter,
    newId: runtime.newId,
    unwindTimeoutMs: runtime.unwindTimeoutMs,
    flights,
    instances,
    pipelines,
    onIdle: () => {
      if (retiring !== undefined) idle.resolve()
    },
    pipeline: (operation) => {
      const known = pipelines.get(operation)
      if (known !== undefined) return known
      const composed = composePipeline(operation, list, clock)
      pipelines.set(operation, composed)
      return composed
    },
    portsOf: (port) => portsOf(list, port),
    health: (instance) => (healths.get(instance) as () => Promise<Health>)(),
    retire: (drainMs) => {
      if (flights.size === 0) idle.resolve()
      const cancel = flights.size === 0 ? undefined : clock.schedule(drainMs, abortLeft)
      void idle.promise.then(cancel)
      retiring ??= idle.promise.then(close)
      return retiring
    },
  }
}

function portsOf<T>(instances: readonly Instance[], port: Port<T>): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const { node, result } of instances) {
    const provision = node.provides.find((candidate) => samePort(candidate.port, port))
    if (provision !== undefined) found.set(node.instance, (result.ports as Readonly<Record<string, T>>)[provision.key] as T)
  }
  return found
}

/**
 * The one implementation of a port.
 * @throws SwitchyardError `DEPENDENCY_MISSING` where there is none, `CONFIG_INVALID` where several are and none is named.
 */
export function onlyPort<T>(found: ReadonlyMap<string, T>, port: Port<T>, instance: string | undefined): T {
  const names = [...found.keys()]
  const name = instance ?? names[0]
  if (name === undefined || !found.has(name)) {
    const where = instance === undefined ? 'no instance' : `no instance "${instance}"`
    const able = names.length === 0 ? 'none does' : `those that do: ${names.join(', ')}`
    throw new SwitchyardError('DEPENDENCY_MISSING', `${where} provides the port ${portName(port)}; ${able}`)
  }
  if (instance === undefined && names.length > 1) {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `several instances provide the port ${portName(port)}: name one of ${names.join(', ')}`,
    )
  }
  return found.get(name) as T
}
