import { type Catalog, createCatalog } from '../catalog.ts'
import type { Entry, PriceRow } from '../entry.ts'
import { completePrice, completer } from '../stored-entry.ts'
import type { Override } from './override-rows.ts'

/**
 * A catalog with overrides laid over it, those of no tenant and of the given one; later ones win. What was used before an override's
 * `from` keeps its price. A model that the catalog does not know becomes an entry of its own.
 */
export function applyOverrides(
  catalog: Catalog,
  overrides: readonly Override[],
  options: { readonly tenant?: string } = {},
): Catalog {
  const changed = new Map<string, Entry>()
  for (const override of overrides) {
    if (override.tenant !== undefined && override.tenant !== options.tenant) continue
    const name = `${override.provider}/${override.model}`
    const id = catalog.lookup(name)?.id ?? name
    const entry = changed.get(id) ?? catalog.get(id) ?? newEntry(override)
    changed.set(entry.id, overridden(entry, override))
  }
  return changed.size === 0 ? catalog : createCatalog([...catalog.entries, ...changed.values()])
}

function newEntry({ provider, model, baseUrl, from }: Override): Entry {
  const { complete } = completer({ asOf: from.slice(0, 10) })
  return complete({
    provider,
    model,
    ...(baseUrl === undefined ? {} : { route: { via: 'openai-compatible', baseUrl, envKeys: [] } }),
  })
}

function overridden(entry: Entry, override: Override): Entry {
  const { context, maxOutput: output } = override
  const limits = { ...entry.limits, ...(context === undefined ? {} : { context }), ...(output === undefined ? {} : { output }) }
  const priced = Object.keys(override.perToken).length + Object.keys(override.perUnit).length > 0
  const free = override.free === true
  const judged = free || (priced && override.tier === 'standard' && override.region === '*')
  const sources = [...new Set([...entry.provenance.sources, 'override'])]
  return Object.freeze({
    ...entry,
    limits,
    prices: free ? [] : priced ? overlaid(entry.prices, override) : entry.prices,
    free: free || (entry.free && !priced),
    provenance: { ...entry.provenance, sources, confidence: judged ? 'agreed' : entry.provenance.confidence },
  })
}

function overlaid(rows: readonly PriceRow[], override: Override): readonly PriceRow[] {
  const { tier, region, contextOver, from, until, perToken, perUnit } = override
  const same = rows.filter((row) => row.tier === tier && row.region === region && row.contextOver === contextOver)
  const others = rows.filter((row) => !same.includes(row))
  const start = Date.parse(from)
  const current = same.findLast((row) => isOpen(row, start))
  const row = completePrice({
    tier,
    region,
    ...(contextOver === undefined ? {} : { contextOver }),
    from,
    ...(until === undefined ? {} : { until }),
    perToken: { ...current?.perToken, ...perToken },
    perUnit: { ...current?.perUnit, ...perUnit },
  })
  return [...others, ...same.flatMap((old) => around(old, from, until)), row]
}

function isOpen(row: PriceRow, at: number): boolean {
  return (row.from === undefined || Date.parse(row.from) <= at) && (row.until === undefined || Date.parse(row.until) > at)
}

/** What is left of an older row before and after the time of the one that replaces it. */
function around(old: PriceRow, from: string, until: string | undefined): readonly PriceRow[] {
  const parts: PriceRow[] = []
  if (old.from === undefined || Date.parse(old.from) < Date.parse(from)) {
    const ends = old.until !== undefined && Date.parse(old.until) <= Date.parse(from) ? old.until : from
    parts.push({ ...old, until: ends })
  }
  if (until !== undefined && (old.until === undefined || Date.parse(old.until) > Date.parse(until))) {
    const starts = old.from !== undefined && Date.parse(old.from) > Date.parse(until) ? old.from : until
    parts.push({ ...old, from: starts })
  }
  return parts
}
