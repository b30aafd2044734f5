import { type Handlers, type Policy, type SetupResult, STAGES, SwitchyardError } from '@switchyard/contract'
import type { Node } from '../assembly/graph.ts'

/**
 * Holds what `setup` returned against what the definition declared.
 * @throws SwitchyardError `STARTUP_FAILED` that names every difference.
 */
export function checkSetupResult(node: Node, value: unknown): SetupResult<Record<string, never>> {
  const result = value as Partial<SetupResult<Record<string, never>>> | null | undefined
  const faults = [
    ...portFaults(node, result?.ports),
    ...(result?.policies ?? []).flatMap(policyFaults),
    ...handlerFaults(result?.serves),
  ]
  if (result?.health !== undefined && typeof result.health !== 'function') faults.push('`health` is not a function')
  if (faults.length > 0) {
    throw new SwitchyardError('STARTUP_FAILED', `its setup returned what does not fit its definition: ${faults.join('; ')}`, {
      plugin: node.instance,
    })
  }
  return result as SetupResult<Record<string, never>>
}

function portFaults(node: Node, ports: unknown): readonly string[] {
  if (typeof ports !== 'object' || ports === null) return ['it has no `ports` (give `ports: {}` where there are none)']
  const declared = node.provides.map((provision) => provision.key)
  const returned = Object.entries(ports)
    .filter(([, port]) => port !== undefined)
    .map(([key]) => key)
  return [
    ...declared.filter((key) => !returned.includes(key)).map((key) => `the port "${key}" of \`provides\` is missing`),
    ...returned.filter((key) => !declared.includes(key)).map((key) => `the port "${key}" is not declared in \`provides\``),
  ]
}

function policyFaults(policy: Policy): readonly string[] {
  const name = String(policy?.name)
  if (typeof policy?.around !== 'function') return [`the policy "${name}" has no \`around\``]
  if (!STAGES.includes(policy.stage)) return [`the policy "${name}" has the unknown stage "${String(policy.stage)}"`]
  if (policy.operations !== '*' && !Array.isArray(policy.operations)) {
    return [`the policy "${name}" has \`operations\` that are neither a list nor '*'`]
  }
  return []
}

function handlerFaults(serves: Handlers | undefined): readonly string[] {
  return Object.entries(serves ?? {})
    .filter(([, handler]) => typeof handler !== 'function')
    .map(([operation]) => `\`serves\` has no function for "${operation}"`)
}
