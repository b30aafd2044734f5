import type { Problem } from '../problem.ts'
import { type Node, portName, providesPort, type Requirement, samePort } from './graph.ts'
import { nearest } from './nearest.ts'

/** Settles which instances meet each need of `node`, and says what stands in the way. Nobody meets a need of their own. */
export function bindNeeds(node: Node, nodes: readonly Node[]): readonly Problem[] {
  const problems: Problem[] = []
  const bind = node.plugin.placement?.bind ?? {}
  const keys = node.requires.map((need) => need.key)
  for (const key of Object.keys(bind)) {
    if (keys.includes(key)) continue
    const meant = nearest(key, keys)
    problems.push({
      code: 'CONFIG_INVALID',
      plugin: node.instance,
      message: `bind names the need "${key}", which the plugin does not have`,
      mend: meant === undefined ? `Its needs are: ${keys.join(', ') || 'none'}` : `Did you mean "${meant}"?`,
    })
  }
  for (const need of node.requires) {
    const target = Object.hasOwn(bind, need.key) ? bind[need.key] : undefined
    const outcome = target === undefined ? bindByPort(node, need, nodes) : bindByName(node, need, target, nodes)
    problems.push(...outcome.problems)
    node.bindings.set(need.key, outcome.instances)
  }
  return problems
}

interface Outcome {
  readonly instances: readonly string[]
  readonly problems: readonly Problem[]
}

function bindByName(node: Node, need: Requirement, target: string, nodes: readonly Node[]): Outcome {
  const found = nodes.find((candidate) => candidate.instance === target)
  if (found !== undefined && providesPort(found, need.port)) return { instances: [target], problems: [] }
  const able = providers(node, need, nodes).map((candidate) => candidate.instance)
  const mend = able.length === 0 ? add(need) : `Instances that provide it: ${able.join(', ')}`
  if (found === undefined) {
    const meant = nearest(target, able)
    return fail(node, {
      code: 'DEPENDENCY_MISSING',
      message: `"${need.key}" is bound to "${target}", but the assembly has no such instance`,
      mend: meant === undefined ? mend : `Did you mean bind: { ${need.key}: '${meant}' }?`,
    })
  }
  const other = mismatch(node, need, found)
  if (other !== undefined) return { instances: [], problems: [other] }
  return fail(node, {
    code: 'DEPENDENCY_MISSING',
    message: `"${need.key}" is bound to "${target}", which does not provide the port ${portName(need.port)}`,
    mend,
  })
}

function bindByPort(node: Node, need: Requirement, nodes: readonly Node[]): Outcome {
  const able = providers(node, need, nodes)
  const names = [...new Set(able.map((candidate) => candidate.instance))]
  const mismatches = nodes.flatMap((candidate) => (candidate === node ? [] : (mismatch(node, need, candidate) ?? [])))
  // An instance of another version that `many` left out in silence would look like a gap in the data.
  if (need.arity === 'many') return { instances: names, problems: mismatches }
  if (names.length === 1) return { instances: names, problems: [] }
  if (names.length > 1) {
    return fail(node, {
      code: 'CONFIG_INVALID',
      message: `"${need.key}" needs one instance of the port ${portName(need.port)}, and ${names.map((name) => `"${name}"`).join(', ')} provide it`,
      mend: `Pick one in its placement: bind: { ${need.key}: '${names[0]}' }`,
    })
  }
  if (mismatches.length > 0) return { instances: [], problems: mismatches }
  if (need.arity === 'optional') return { instances: [], problems: [] }
  const own = providesPort(node, need.port) ? ' besides itself' : ''
  return fail(node, {
    code: 'DEPENDENCY_MISSING',
    message: `"${need.key}" needs the port ${portName(need.port)}, and no plugin of the assembly provides it${own}`,
    mend: add(need),
  })
}

function providers(node: Node, need: Requirement, nodes: readonly Node[]): readonly Node[] {
  return nodes.filter((candidate) => candidate !== node && providesPort(candidate, need.port))
}

/** The problem of an instance that gives the port in another version only; undefined where it is unrelated or fits. */
function mismatch(node: Node, need: Requirement, candidate: Node): Problem | undefined {
  if (providesPort(candidate, need.port)) return undefined
  const other = candidate.provides.find((provision) => provision.port.id === need.port.id)?.port
  if (other === undefined || samePort(other, need.port)) return undefined
  const behind = other.version < need.port.version ? candidate : node
  return {
    code: 'CONTRACT_UNSUPPORTED',
    plugin: node.instance,
    message: `it needs the port ${portName(need.port)}, and "${candidate.instance}" provides ${portName(other)}`,
    mend: `Update ${behind.plugin.definition.name} (instance "${behind.instance}"), which has the older version`,
  }
}

function add(need: Requirement): string {
  return `Add a plugin that provides ${portName(need.port)}; if it is there, check the port's id and version`
}

function fail(node: Node, problem: Omit<Problem, 'plugin'>): Outcome {
  return { instances: [], problems: [{ ...problem, plugin: node.instance }] }
}
