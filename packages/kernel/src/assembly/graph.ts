import { CONTRACT, type Need, type Plugin, type Port, SwitchyardError } from '@switchyard/contract'

/** What an application runs: placed plugins. Their order is the order of policies within a stage. */
export interface Assembly {
  readonly plugins: readonly Plugin[]
}

export type Arity = 'once' | 'optional' | 'many'

/** One key of a plugin's `requires`. */
export interface Requirement {
  readonly key: string
  readonly port: Port
  readonly arity: Arity
}

/** One key of a plugin's `provides`. */
export interface Provision {
  readonly key: string
  readonly port: Port
}

/** A plugin at its place in the graph. `bindings` names, by key of `requires`, the instances that meet each need. */
export interface Node {
  readonly instance: string
  readonly plugin: Plugin
  readonly requires: readonly Requirement[]
  readonly provides: readonly Provision[]
  readonly bindings: Map<string, readonly string[]>
  /** Validated by the plugin's schema. */
  options: unknown
}

/** Name of an instance whose placement gives none: the package name less its scope. */
export function defaultInstance(name: string): string {
  return name.startsWith('@') ? name.slice(name.indexOf('/') + 1) : name
}

/** Reads a plugin into a node. Of one that speaks another contract only the ports are read, so that others still find them. */
export function nodeOf(plugin: Plugin): Node {
  const { definition, placement } = plugin
  const requires = definition.contract === CONTRACT ? (definition.requires ?? {}) : {}
  return {
    instance: placement?.as ?? defaultInstance(definition.name),
    plugin,
    requires: Object.entries(requires).map(([key, need]) => requirement(key, need as Port | Need)),
    provides: Object.entries(definition.provides ?? {}).map(([key, port]) => ({ key, port: port as Port })),
    bindings: new Map(),
    options: undefined,
  }
}

function requirement(key: string, need: Port | Need): Requirement {
  return 'arity' in need ? { key, port: need.port, arity: need.arity } : { key, port: need, arity: 'once' }
}

export function samePort(one: Port, other: Port): boolean {
  return one.id === other.id && one.version === other.version
}

/** `cache@1`: how a port is named in messages and in lookups. */
export function portName(port: Port): string {
  return `${port.id}@${port.version}`
}

export function providesPort(node: Node, port: Port): boolean {
  return node.provides.some((provision) => samePort(provision.port, port))
}

/** Instances that must be ready before `node`, each once. */
export function dependenciesOf(node: Node): ReadonlySet<string> {
  return new Set([...node.bindings.values()].flat())
}

/** Each distinct cycle of the graph, as the path of instances that closes it: `['a', 'b', 'a']`. */
export function findCycles(nodes: ReadonlyMap<string, Node>): readonly (readonly string[])[] {
  const cycles: string[][] = []
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (name: string): void => {
    const from = path.indexOf(name)
    if (from >= 0) {
      cycles.push([...path.slice(from), name])
      return
    }
    const node = nodes.get(name)
    if (node === undefined || finished.has(name)) return
    path.push(name)
    for (const dependency of dependenciesOf(node)) visit(dependency)
    path.pop()
    finished.add(name)
  }
  for (const name of nodes.keys()) visit(name)
  return cycles
}

/** Nodes with every dependency before its dependents; assembly order otherwise. */
export function startOrder(nodes: ReadonlyMap<string, Node>): readonly Node[] {
  const ordered = new Set<Node>()
  const visit = (name: string): void => {
    const node = nodes.get(name)
    if (node === undefined) throw new SwitchyardError('INTERNAL', `start order: no instance "${name}"`)
    if (ordered.has(node)) return
    for (const dependency of dependenciesOf(node)) visit(dependency)
    ordered.add(node)
  }
  for (const name of nodes.keys()) visit(name)
  return [...ordered]
}
