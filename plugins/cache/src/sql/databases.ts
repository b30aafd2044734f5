import { SwitchyardError } from '@switchyard/contract'
import { tableTag } from '../keys/tags.ts'
import type { Dialect } from './dialect.ts'
import type { SqlOptions, SqlRule } from './options.ts'
import type { KnownFunctions } from './statement.ts'

/** A target of `sql.query` that something is kept of, or may be through another. */
export interface KnownTarget {
  readonly dialect: Dialect
  readonly database: string
  readonly known: KnownFunctions
  readonly rules: readonly SqlRule[]
  /** Tags of what a change of the table changes, or of any table: as read through each target of the database. */
  changedWith(table: string | undefined): readonly string[]
}

/**
 * Targets by name, of those of which anything may be kept. Throws `CONFIG_INVALID` for a target that is no instance of the sql port, and for
 * one in two databases.
 */
export function knownTargets(
  { rules, databases }: SqlOptions,
  dialects: ReadonlyMap<string, Dialect>,
): ReadonlyMap<string, KnownTarget> {
  const owners = new Map<string, string>()
  for (const [database, { targets }] of Object.entries(databases)) {
    for (const target of targets) {
      if (owners.has(target))
        throw invalid(`sql.databases: "${target}" stands in "${owners.get(target)}" and "${database}"; name it once`)
      owners.set(target, database)
    }
  }
  const kept = new Set(rules.flatMap(({ match }) => match.targets))
  const keptDatabases = new Set([...kept].map((target) => owners.get(target)).filter((owner) => owner !== undefined))
  for (const [target, owner] of owners) if (keptDatabases.has(owner)) kept.add(target)

  const found = new Map<string, KnownTarget>()
  for (const target of kept) {
    const dialect = dialects.get(target)
    if (dialect === undefined) {
      const known = [...dialects.keys()].map((one) => `"${one}"`).join(', ')
      throw invalid(`sql: "${target}" is no instance of the sql port; ${known === '' ? 'there is none' : `there are ${known}`}`)
    }
    const owner = owners.get(target)
    const facts = owner === undefined ? undefined : databases[owner]
    found.set(target, {
      dialect,
      database: owner ?? target,
      known: { pure: lowered(facts?.pure), harmless: lowered(facts?.harmless) },
      rules: rules.filter(({ match }) => match.targets.includes(target)).map(loweredTables),
      changedWith: changesOf(facts?.targets ?? [target], facts?.also ?? {}),
    })
  }
  return found
}

function changesOf(targets: readonly string[], also: Readonly<Record<string, readonly string[]>>): KnownTarget['changedWith'] {
  const next = new Map(Object.entries(also).map(([table, others]) => [table.toLowerCase(), others]))
  return (table) => {
    if (table === undefined) return targets.map((target) => tableTag(target))
    const all = new Set([table])
    // A set is walked to its end with what is added meanwhile.
    for (const one of all) for (const other of next.get(one) ?? []) all.add(other.toLowerCase())
    return targets.flatMap((target) => [...all].map((one) => tableTag(target, one)))
  }
}

function lowered(names: readonly string[] = []): ReadonlySet<string> {
  return new Set(names.map((one) => one.toLowerCase()))
}

function loweredTables(rule: SqlRule): SqlRule {
  const { targets, tables } = rule.match
  return tables === undefined ? rule : { ...rule, match: { targets, tables: [...lowered(tables)] } }
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `cache: ${message}`)
}
