import { CONTRACT, type Plugin } from '@switchyard/contract'
import type { Problem } from '../problem.ts'
import { bindNeeds } from './bind.ts'
import { type Assembly, findCycles, type Node, nodeOf, startOrder } from './graph.ts'
import { checkOptions } from './options-check.ts'

/** A checked assembly. `order` has dependencies before dependents; it is empty when there are problems. */
export interface Plan {
  readonly problems: readonly Problem[]
  /** In assembly order. */
  readonly nodes: ReadonlyMap<string, Node>
  readonly order: readonly Node[]
}

/**
 * Finds every problem of an assembly at once: contract and port versions, unknown and invalid options, missing and ambiguous
 * needs, wrong binds, instance names given twice, cycles. Runs no plugin's `setup`. An empty result means that it can start.
 */
export async function checkAssembly(assembly: Assembly): Promise<readonly Problem[]> {
  return (await planAssembly(assembly)).problems
}

/** Checks an assembly and lays out its start. */
export async function planAssembly(assembly: Assembly): Promise<Plan> {
  const problems: Problem[] = []
  const all: Node[] = []
  const nodes = new Map<string, Node>()
  for (const [index, plugin] of assembly.plugins.entries()) {
    const shape = shapeProblem(plugin, index)
    if (shape !== undefined) {
      problems.push(shape)
      continue
    }
    const node = nodeOf(plugin)
    all.push(node)
    problems.push(...nameProblems(node, nodes.get(node.instance)), ...contractProblems(node))
    if (!nodes.has(node.instance)) nodes.set(node.instance, node)
  }
  for (const node of all) problems.push(...bindNeeds(node, all))
  for (const cycle of findCycles(nodes)) {
    problems.push({
      code: 'DEPENDENCY_CYCLE',
      plugin: cycle[0] ?? '',
      message: `instances need each other in a circle: ${cycle.join(' -> ')}`,
      mend: 'Take one of these needs away, or bind it to an instance outside the circle',
    })
  }
  const speaking = all.filter((node) => node.plugin.definition.contract === CONTRACT)
  const checked = await Promise.all(
    speaking.map(async (node) => {
      const { options, problems } = await checkOptions(node.instance, node.plugin.definition.options, node.plugin.input)
      node.options = options
      return problems
    }),
  )
  problems.push(...checked.flat())
  return { problems, nodes, order: problems.length === 0 ? startOrder(nodes) : [] }
}

function shapeProblem(plugin: Plugin, index: number): Problem | undefined {
  const place = `plugins[${index}]`
  const problem = (name: string, message: string, mend: string): Problem => ({
    code: 'CONFIG_INVALID',
    plugin: name,
    message,
    mend,
  })
  if (typeof plugin === 'function') {
    return problem(place, 'it is a plugin factory, not a plugin', 'Call it: list `factory(options)`, not `factory`')
  }
  const definition = plugin?.definition
  if (typeof definition !== 'object' || definition === null || typeof definition.name !== 'string') {
    return problem(place, 'it is not a plugin', 'List what a plugin factory returns, such as `memoryCache({ ... })`')
  }
  const validate: unknown = definition.options?.['~standard']?.validate
  if (typeof definition.setup !== 'function' || (definition.contract === CONTRACT && typeof validate !== 'function')) {
    return problem(
      definition.name,
      'its definition has no `setup` function or no Standard Schema as `options`',
      'Define it with definePlugin({ name, contract, options, setup })',
    )
  }
  return undefined
}

function nameProblems(node: Node, taken: Node | undefined): readonly Problem[] {
  const name = node.plugin.definition.name
  if (node.instance === '') {
    return [{ code: 'CONFIG_INVALID', plugin: name, message: 'its instance name is empty', mend: "Give one: { as: 'name' }" }]
  }
  if (taken === undefined) return []
  const other = taken.plugin.definition.name
  return [
    {
      code: 'CONFIG_INVALID',
      plugin: node.instance,
      message: `two plugins have the instance name "${node.instance}": ${other === name ? `${name}, twice` : `${other} and ${name}`}`,
      mend: `Name one of them otherwise in its placement: { as: '${node.instance}-2' }`,
    },
  ]
}

function contractProblems(node: Node): readonly Problem[] {
  const { contract, name } = node.plugin.definition
  const theirs: unknown = contract
  if (theirs === CONTRACT) return []
  const newer = typeof theirs === 'number' && theirs > CONTRACT
  return [
    {
      code: 'CONTRACT_UNSUPPORTED',
      plugin: node.instance,
      message: `${name} is written for contract ${String(theirs)}, and this kernel speaks contract ${CONTRACT}`,
      mend: newer ? 'Update @switchyard/kernel' : `Update ${name}`,
    },
  ]
}
