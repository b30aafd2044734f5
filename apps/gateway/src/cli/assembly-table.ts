import type { Need, Plugin, Port } from '@switchyard/contract'
import type { Assembly } from '@switchyard/kernel'
import { table } from './table.ts'

export interface AssemblyRow {
  readonly instance: string
  readonly plugin: string
  readonly version: string
  readonly provides: readonly string[]
  readonly requires: readonly string[]
}

/** The plugins of an assembly as rows, in its order. */
export function assemblyRows(assembly: Assembly): readonly AssemblyRow[] {
  return assembly.plugins.map(({ definition, placement }: Plugin) => ({
    instance: placement.as ?? definition.name.replace(/^@[^/]+\//, ''),
    plugin: definition.name,
    version: definition.version ?? '',
    provides: Object.values((definition.provides ?? {}) as Record<string, Port>).map(({ id, version }) => `${id}@${version}`),
    requires: Object.values((definition.requires ?? {}) as Record<string, Port | Need>).map((need) => {
      const port = 'port' in need ? need.port : need
      return `${port.id}@${port.version}${'arity' in need ? ` (${need.arity})` : ''}`
    }),
  }))
}

/** The same as a table for people. */
export function assemblyTable(assembly: Assembly): string {
  const head = ['INSTANCE', 'PLUGIN', 'PROVIDES', 'REQUIRES']
  const rows = assemblyRows(assembly).map((row) => [
    row.instance,
    row.plugin,
    row.provides.join(', ') || '-',
    row.requires.join(', ') || '-',
  ])
  return table(head, rows)
}
