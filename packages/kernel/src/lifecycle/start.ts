import { SwitchyardError } from '@switchyard/contract'
import type { Plan } from '../assembly/check.ts'
import { dependenciesOf, type Node, samePort } from '../assembly/graph.ts'
import type { Emitter } from '../events.ts'
import { assemblyError, type Problem } from '../problem.ts'
import type { Runtime } from '../runtime.ts'
import { createInstance, type Instance } from './instance.ts'

/** The instances of one assembly, all ready. */
export interface Started {
  /** In assembly order. */
  readonly instances: ReadonlyMap<string, Instance>
  /** Releases every instance, dependents before what they stand on. Never rejects; idempotent. */
  close(): Promise<void>
}

/**
 * Sets up every instance of a plan, each as soon as what it needs is ready. The first failure aborts the others, releases
 * everything in reverse of the start and rejects `STARTUP_FAILED`, naming each instance that failed; so does `signal`.
 */
export async function startInstances(plan: Plan, runtime: Runtime, emitter: Emitter, signal: AbortSignal): Promise<Started> {
  const instances = new Map<string, Instance>()
  for (const node of plan.nodes.values()) instances.set(node.instance, createInstance(node, runtime, emitter))
  const begun: Instance[] = []
  const failures: { readonly instance: Instance; readonly error: unknown }[] = []
  let stopped: SwitchyardError | undefined

  const stop = (reason: SwitchyardError): void => {
    if (stopped !== undefined) return
    stopped = reason
    for (const instance of begun) instance.abort(reason)
  }
  const start = async (instance: Instance, dependencies: readonly Promise<boolean>[]): Promise<boolean> => {
    const ready = await Promise.all(dependencies)
    if (stopped !== undefined || ready.includes(false)) return false
    begun.push(instance)
    try {
      await instance.start(depsOf(instance.node, instances))
      return true
    } catch (error) {
      if (error !== stopped) {
        failures.push({ instance, error })
        stop(new SwitchyardError('STARTUP_FAILED', `start-up was given up: "${instance.node.instance}" failed`))
      }
      return false
    }
  }
  const onAbort = (): void => {
    const { reason } = signal
    stop(
      SwitchyardError.is(reason)
        ? reason
        : new SwitchyardError('ABORTED', 'start-up was given up by its caller', { cause: reason }),
    )
  }

  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const running = new Map<string, Promise<boolean>>()
  for (const node of plan.order) {
    const dependencies = [...dependenciesOf(node)].map((name) => running.get(name) as Promise<boolean>)
    running.set(node.instance, start(instances.get(node.instance) as Instance, dependencies))
  }
  await Promise.all(running.values())
  signal.removeEventListener('abort', onAbort)

  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= closeInReverse(begun)
    return closing
  }
  const given: SwitchyardError | undefined = stopped
  if (given !== undefined) {
    await close()
    if (failures.length === 0) throw given
    const problems = failures.map(({ instance, error }) => startProblem(instance.node.instance, error))
    throw assemblyError('STARTUP_FAILED', 'the assembly did not start', problems, failures[0]?.error)
  }
  return { instances, close }
}

async function closeInReverse(begun: readonly Instance[]): Promise<void> {
  for (const instance of begun.toReversed()) await instance.close()
}

function startProblem(plugin: string, error: unknown): Problem {
  const code = SwitchyardError.is(error) ? error.code : 'STARTUP_FAILED'
  const message = error instanceof Error ? error.message : String(error)
  const mend = code === 'TIMEOUT' ? 'See what it waits for, or raise startTimeoutMs' : 'Mend what it names and start again'
  return { code, plugin, message: `its setup failed: ${message}`, mend }
}

function depsOf(node: Node, instances: ReadonlyMap<string, Instance>): Readonly<Record<string, unknown>> {
  const deps: Record<string, unknown> = {}
  for (const need of node.requires) {
    const found = (node.bindings.get(need.key) ?? []).map((name): [string, unknown] => {
      const instance = instances.get(name) as Instance
      const provision = instance.node.provides.find((candidate) => samePort(candidate.port, need.port))
      return [name, (instance.result.ports as Readonly<Record<string, unknown>>)[provision?.key ?? '']]
    })
    deps[need.key] = need.arity === 'many' ? new Map(found) : found[0]?.[1]
  }
  return Object.freeze(deps)
}
