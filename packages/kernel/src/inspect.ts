import { CONTRACT, type Operation, type Stage } from '@switchyard/contract'
import { type Arity, portName } from './assembly/graph.ts'
import type { Health } from './lifecycle/health.ts'
import type { Running } from './running.ts'

export type KernelState = 'ready' | 'closing' | 'closed'

export interface InspectedInstance {
  readonly instance: string
  /** Package name. */
  readonly plugin: string
  readonly version: string | undefined
  readonly contract: number
  /** `port` reads `cache@1`; `boundTo` names the instances that meet the need. */
  readonly requires: readonly {
    readonly key: string
    readonly port: string
    readonly arity: Arity
    readonly boundTo: readonly string[]
  }[]
  /** `capabilities` as the port's implementation declares them, where it does. */
  readonly provides: readonly { readonly key: string; readonly port: string; readonly capabilities: unknown }[]
  readonly serves: readonly string[]
  /** How long `setup` took. */
  readonly startMs: number
  readonly health: Health
}

export interface InspectedOperation {
  readonly operation: Operation
  /** Outermost first. */
  readonly policies: readonly { readonly stage: Stage; readonly name: string; readonly instance: string }[]
  readonly targets: readonly string[]
}

/** A kernel at one moment. Plain data, free of secrets, safe to send as JSON. */
export interface Inspection {
  readonly state: KernelState
  readonly contract: number
  /** In assembly order. */
  readonly instances: readonly InspectedInstance[]
  readonly operations: readonly InspectedOperation[]
  /** Calls that have not ended, those of assemblies that are being replaced included. */
  readonly callsInFlight: number
  /** Replaced assemblies that still wait for their last calls. */
  readonly draining: number
}

/** Looks at an assembly at work. Asks each probe that has not answered within the last second. */
export async function inspectRunning(
  running: Running,
  whole: Pick<Inspection, 'state' | 'callsInFlight' | 'draining'>,
): Promise<Inspection> {
  const instances = await Promise.all(
    [...running.instances.values()].map(async ({ node, result, startMs }): Promise<InspectedInstance> => {
      const ports = result.ports as Readonly<Record<string, { readonly capabilities?: unknown } | null>>
      return {
        instance: node.instance,
        plugin: node.plugin.definition.name,
        version: node.plugin.definition.version,
        contract: node.plugin.definition.contract,
        requires: node.requires.map(({ key, port, arity }) => ({
          key,
          port: portName(port),
          arity,
          boundTo: node.bindings.get(key) ?? [],
        })),
        provides: node.provides.map(({ key, port }) => ({ key, port: portName(port), capabilities: ports[key]?.capabilities })),
        serves: Object.keys(result.serves ?? {}),
        startMs: startMs ?? 0,
        health: await running.health(node.instance),
      }
    }),
  )
  const operations = [...running.pipelines.values()].map(
    ({ operation, policies, targets }): InspectedOperation => ({
      operation,
      policies: policies.map(({ policy, instance }) => ({ stage: policy.stage, name: policy.name, instance })),
      targets,
    }),
  )
  return { ...whole, contract: CONTRACT, instances, operations }
}

/** Prints an inspection for people: each instance under those that need it, then each operation's way. */
export function formatInspection(inspection: Inspection): string {
  const byName = new Map(inspection.instances.map((instance) => [instance.instance, instance]))
  const needsOf = (instance: InspectedInstance): readonly string[] => [
    ...new Set(instance.requires.flatMap((need) => need.boundTo)),
  ]
  const needed = new Set(inspection.instances.flatMap(needsOf))
  const lines = [`${inspection.state}, ${inspection.callsInFlight} calls in flight`]
  const print = (name: string, lead: string, last: boolean): void => {
    const instance = byName.get(name)
    if (instance === undefined) return
    const version = instance.version === undefined ? '' : ` ${instance.version}`
    const health = instance.health.status === 'error' ? ` UNHEALTHY: ${instance.health.error?.message}` : ''
    lines.push(`${lead}${last ? '└─' : '├─'} ${name} (${instance.plugin}${version}) ${instance.startMs.toFixed(1)} ms${health}`)
    const needs = needsOf(instance)
    needs.forEach((need, index) => {
      print(need, `${lead}${last ? '   ' : '│  '}`, index === needs.length - 1)
    })
  }
  const roots = inspection.instances.filter((instance) => !needed.has(instance.instance))
  roots.forEach(({ instance }, index) => {
    print(instance, '', index === roots.length - 1)
  })
  for (const { operation, policies, targets } of inspection.operations) {
    const way = policies.map(({ stage, name }) => `${stage}:${name}`)
    lines.push(`${operation}: ${[...way, `[${targets.join(', ')}]`].join(' -> ')}`)
  }
  return lines.join('\n')
}
