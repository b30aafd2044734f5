import type { Capability, Lifecycle, LifecycleStatus, Limits, PriceRow, Provenance } from '../entry.ts'
import { CAPABILITIES } from '../entry.ts'
import { kindByName } from '../identity/kinds.ts'
import { baseModelKey, isMoving, spellingKey } from '../identity/model-names.ts'
import { NATIVE } from '../identity/providers.ts'
import { finish, type Work } from '../slices.ts'
import { type StoredEntry, storePrice } from '../stored-entry.ts'
import { inheriting } from './inherit.ts'
import { judge } from './judge.ts'
import { type MergedPrices, mergePrices } from './merge-prices.ts'
import { FACT_ORDER, type SourceRow, witnessOf } from './source-row.ts'

/**
 * Makes one entry of all that sources say of one model at one provider, and lets entries of the same base model fill each other's gaps.
 * In order of id, the same whatever the order of the rows.
 */
export function mergeRows(rows: readonly SourceRow[]): readonly StoredEntry[] {
  return finish(mergingRows(rows))
}

/** The same as work that pauses behind each row and entry. */
export function* mergingRows(rows: readonly SourceRow[]): Work<readonly StoredEntry[]> {
  const groups = new Map<string, SourceRow[]>()
  for (const row of rows) {
    const key = `${row.provider}/${spellingKey(row.model)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
    yield
  }
  const named = new Set(groups.keys())
  const merged: StoredEntry[] = []
  for (const group of groups.values()) {
    merged.push(mergeGroup(group, named))
    yield
  }
  yield 'rest'
  const byId = merged.map((entry) => ({ id: `${entry.provider}/${entry.model}`, entry }))
  byId.sort((a, b) => (a.id < b.id ? -1 : 1))
  yield 'rest'
  return yield* inheriting(byId.map(({ entry }) => entry))
}

/** Rows of one model; `named` holds the spelling keys that are entries of their own and so cannot be aliases. */
function mergeGroup(group: readonly SourceRow[], named: ReadonlySet<string>): StoredEntry {
  const rows = [...group].sort((a, b) => rank(a) - rank(b) || (a.model < b.model ? -1 : 1))
  const first = rows[0] as SourceRow
  const { provider, model } = first
  const free = isFree(rows)
  const merged = mergePrices(free ? [] : rows)
  const name = firstOf(rows, (row) => row.name)
  const kind = firstOf(rows, (row) => row.kind) ?? kindByName(model)
  const aliases = aliasesOf(rows, model, named)
  const base = baseModelKey(model)
  const limits = limitsOf(rows)
  const caps = capsOf(rows)
  const modalities = firstOf(rows, (row) => row.modalities)
  const lifecycle = lifecycleOf(rows)
  const route = NATIVE.has(provider) ? undefined : firstOf(rows, (row) => row.route)
  const prices = reachable(merged.prices, limits.context)
  return {
    provider,
    model,
    ...(name === undefined || name === model ? {} : { name }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(isMoving(model) ? { moving: true } : {}),
    ...(base === model.toLowerCase() ? {} : { baseModel: base }),
    ...(kind === undefined || kind === 'chat' ? {} : { kind }),
    ...(route === undefined ? {} : { route }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(modalities === undefined ? {} : { modalities }),
    ...(Object.keys(caps).length === 0 ? {} : { caps }),
    ...(prices.length === 0 ? {} : { prices: prices.map(storePrice) }),
    ...(free ? { free: true } : {}),
    ...(lifecycle.status === 'unknown' && Object.keys(lifecycle).length === 1 ? {} : { lifecycle }),
    provenance: provenanceOf(rows, merged),
  }
}

function rank({ source }: SourceRow): number {
  return FACT_ORDER.indexOf(source)
}

function firstOf<T>(rows: readonly SourceRow[], read: (row: SourceRow) => T | undefined): T | undefined {
  for (const row of rows) {
    const value = read(row)
    if (value !== undefined) return value
  }
  return undefined
}

/** A price of 0 is unknown, unless two independent sources say it or the name does. */
function isFree(rows: readonly SourceRow[]): boolean {
  if (rows.some(({ model }) => model.toLowerCase().endsWith(':free'))) return true
  if (rows.some(({ prices }) => (prices?.length ?? 0) > 0)) return false
  return new Set(rows.filter(({ saysFree }) => saysFree === true).map(({ source }) => witnessOf(source))).size >= 2
}

/** Other spellings; never a moving name for a fixed one or the other way round, since that would share the price. */
function aliasesOf(rows: readonly SourceRow[], model: string, named: ReadonlySet<string>): readonly string[] {
  const own = rows.map((row) => row.model)
  const moving = isMoving(model)
  const foreign = rows
    .flatMap((row) => row.aliases ?? [])
    .filter((alias) => !named.has(`${rows[0]?.provider}/${spellingKey(alias)}`))
  return [...new Set([...own, ...foreign])]
    .filter((alias) => alias.toLowerCase() !== model.toLowerCase() && isMoving(alias) === moving)
    .sort()
}

function limitsOf(rows: readonly SourceRow[]): Limits {
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = {}
  for (const field of ['context', 'input', 'output'] as const) {
    const said = rows.flatMap((row) => {
      const value = row.limits?.[field]
      return value === undefined ? [] : [{ source: row.source, asOf: row.asOf, value }]
    })
    const verdict = judge(said, (a, b) => a === b)
    const value = verdict?.confidence === 'agreed' ? verdict.winner.value : said[0]?.value
    if (value !== undefined) limits[field] = value
  }
  return limits
}

function capsOf(rows: readonly SourceRow[]): Partial<Record<Capability, boolean>> {
  const caps: Partial<Record<Capability, boolean>> = {}
  for (const name of CAPABILITIES) {
    const value = firstOf(rows, (row) => row.caps?.[name])
    if (value !== undefined) caps[name] = value
  }
  return caps
}

/** A deprecation that anyone reports stands; an active model is one that a source lists as such. */
const SEVERITY: readonly LifecycleStatus[] = ['retired', 'deprecated', 'preview', 'active']

function lifecycleOf(rows: readonly SourceRow[]): Lifecycle {
  const said = new Set(rows.map(({ lifecycle }) => lifecycle?.status))
  const status = SEVERITY.find((one) => said.has(one)) ?? 'unknown'
  const released = firstOf(rows, ({ lifecycle }) => lifecycle?.released)
  const deprecatesOn = firstOf(rows, ({ lifecycle }) => lifecycle?.deprecatesOn)
  const knowledge = firstOf(rows, ({ lifecycle }) => lifecycle?.knowledge)
  return {
    status,
    ...(released === undefined ? {} : { released }),
    ...(deprecatesOn === undefined ? {} : { deprecatesOn }),
    ...(knowledge === undefined ? {} : { knowledge }),
  }
}

/** Prices for more input than the context holds describe an offer that has ended. */
function reachable(prices: readonly PriceRow[], context: number | undefined): readonly PriceRow[] {
  if (context === undefined) return prices
  return prices.filter(({ contextOver }) => contextOver === undefined || contextOver < context)
}

function provenanceOf(rows: readonly SourceRow[], merged: MergedPrices): Partial<Provenance> {
  const asOf = rows
    .map((row) => row.asOf)
    .sort()
    .at(-1) as string
  return {
    asOf,
    sources: [...new Set(rows.map(({ source }) => source))],
    ...(merged.confidence === 'none' ? {} : { confidence: merged.confidence }),
    ...(merged.conflicts.length === 0 ? {} : { conflicts: merged.conflicts }),
    ...(merged.borrowed ? { inherited: ['prices'] } : {}),
  }
}
