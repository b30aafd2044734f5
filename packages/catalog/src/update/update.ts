import { type Catalog, createCatalog } from '../catalog.ts'
import { canonicalJson, entryDigest } from '../digest.ts'
import type { Entry } from '../entry.ts'
import type { Import } from '../feeds/feed.ts'
import { spellingKey } from '../identity/model-names.ts'
import { mergingRows } from '../merge/merge.ts'
import { finish, type Work } from '../slices.ts'
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

export interface UpdateInput {
  readonly seed: Catalog
  readonly feeds: readonly Import[]
  /** The catalog in force, without overrides. */
  readonly previous: Catalog
}

/**
 * Makes a new catalog of the seed and the feeds' last good content; the one in force is not touched. Prices that moved beyond belief
 * against it keep their old value. Lay overrides over the result, not under it: they are how a person accepts such a price.
 * Takes half a second and more for thousands of rows: `updatingCatalog` does not hold the event loop.
 */
export function updateCatalog(input: UpdateInput): CatalogUpdate {
  return finish(updatingCatalog(input))
}

/**
 * `updateCatalog` as work that pauses behind each row and entry, for `inSlices`. What is left of it in one step indexes all entries:
 * some ten milliseconds for as many thousands.
 */
export function* updatingCatalog({ seed, feeds, previous }: UpdateInput): Work<CatalogUpdate> {
  const rows = feeds.flatMap((feed) => feed.rows)
  let asOf = ''
  for (const row of rows) if (row.asOf > asOf) asOf = row.asOf
  const { complete } = completer({ asOf })
  const entries = new Map<string, Entry>()
  for (const entry of seed.entries) {
    entries.set(keyOf(entry), entry)
    yield
  }
  for (const stored of yield* mergingRows(rows)) {
    const upper = complete(stored)
    const key = keyOf(upper)
    const lower = entries.get(key)
    // The name under which a model is already known stays: ids stand in ledgers and configurations.
    entries.set(key, lower === undefined ? upper : layered(lower, { ...upper, id: lower.id, model: lower.model }))
    yield
  }
  const quarantined: Quarantined[] = []
  const settled: Entry[] = []
  for (const next of entries.values()) {
    const entry = settledEntry(previous.get(next.id), next, quarantined)
    // Every digest is known before the version is asked for, which hashes those that are not, all at once.
    entryDigest(entry)
    settled.push(entry)
    yield
  }
  yield 'rest'
  const catalog = createCatalog(settled)
  return { catalog, change: { ...(yield* changing(previous, catalog)), quarantined } }
}

/** The old entry itself where nothing about it changed. */
function settledEntry(old: Entry | undefined, next: Entry, quarantined: Quarantined[]): Entry {
  if (old === undefined || old === next) return next
  const { entry, held } = quarantine(old, next)
  quarantined.push(...held)
  return entryDigest(entry) === entryDigest(old) ? old : entry
}

function keyOf({ provider, model }: Entry): string {
  return `${provider}/${spellingKey(model)}`
}

/** What differs between two catalogs. */
export function changeBetween(before: Catalog, after: Catalog): Omit<CatalogChange, 'quarantined'> {
  return finish(changing(before, after))
}

function* changing(before: Catalog, after: Catalog): Work<Omit<CatalogChange, 'quarantined'>> {
  yield 'rest'
  const { version } = after
  yield 'rest'
  const added: string[] = []
  const repriced: string[] = []
  for (const now of after.entries) {
    const was = before.get(now.id)
    if (was === undefined) added.push(now.id)
    else if (was !== now && pricing(was) !== pricing(now)) repriced.push(now.id)
    yield
  }
  const removed: string[] = []
  for (const { id } of before.entries) {
    if (after.get(id) === undefined) removed.push(id)
    yield
  }
  return { version, added, removed, repriced }
}

function pricing({ prices, free }: Entry): string {
  return canonicalJson([free, prices])
}
