import { type Catalog, createCatalog } from '../catalog.ts'
import { canonicalJson, entryDigest } from '../digest.ts'
import type { Entry } from '../entry.ts'
import type { Import } from '../feeds/feed.ts'
import { spellingKey } from '../identity/model-names.ts'
import { mergeRows } from '../merge/merge.ts'
import { completer } from '../stored-entry.ts'
import { layered } from './layer.ts'
import { type Quarantined, quarantine } from './quarantine.ts'

/** What an update changed: ids in order. */
export interface CatalogChange {
  /** Version after the change. */
  readonly version: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Entries whose price rows differ. */
  readonly repriced: readonly string[]
  readonly quarantined: readonly Quarantined[]
}

export interface CatalogUpdate {
  readonly catalog: Catalog
  readonly change: CatalogChange
}

/**
 * Makes a new catalog of the seed and the feeds' last good content; the one in force is not touched. Prices that moved beyond belief
 * against it keep their old value. Lay overrides over the result, not under it: they are how a person accepts such a price.
 * @param input.previous The catalog in force, without overrides.
 */
export function updateCatalog(input: {
  readonly seed: Catalog
  readonly feeds: readonly Import[]
  readonly previous: Catalog
}): CatalogUpdate {
  const { seed, feeds, previous } = input
  const rows = feeds.flatMap((feed) => feed.rows)
  const asOf =
    rows
      .map((row) => row.asOf)
      .sort()
      .at(-1) ?? ''
  const { complete } = completer({ asOf })
  const entries = new Map(seed.entries.map((entry) => [keyOf(entry), entry]))
  for (const stored of mergeRows(rows)) {
    const upper = complete(stored)
    const lower = entries.get(keyOf(upper))
    // The name under which a model is already known stays: ids stand in ledgers and configurations.
    entries.set(keyOf(upper), lower === undefined ? upper : layered(lower, { ...upper, id: lower.id, model: lower.model }))
  }
  const quarantined: Quarantined[] = []
  const settled = [...entries.values()].map((next) => {
    const old = previous.get(next.id)
    if (old === undefined || old === next) return next
    const { entry, held } = quarantine(old, next)
    quarantined.push(...held)
    return entryDigest(entry) === entryDigest(old) ? old : entry
  })
  const catalog = createCatalog(settled)
  return { catalog, change: { ...changeBetween(previous, catalog), quarantined } }
}

function keyOf({ provider, model }: Entry): string {
  return `${provider}/${spellingKey(model)}`
}

/** What differs between two catalogs. */
export function changeBetween(before: Catalog, after: Catalog): Omit<CatalogChange, 'quarantined'> {
  const both = after.entries.flatMap((now) => {
    const was = before.get(now.id)
    return was === undefined || was === now ? [] : [{ was, now }]
  })
  return {
    version: after.version,
    added: after.entries.filter(({ id }) => before.get(id) === undefined).map(({ id }) => id),
    removed: before.entries.filter(({ id }) => after.get(id) === undefined).map(({ id }) => id),
    repriced: both.filter(({ was, now }) => pricing(was) !== pricing(now)).map(({ now }) => now.id),
  }
}

function pricing({ prices, free }: Entry): string {
  return canonicalJson([free, prices])
}
