import { type Catalog, createCatalog } from './catalog.ts'
import type { Route } from './entry.ts'
import { packageData } from './package-data.ts'
import { completer, type StoredEntry } from './stored-entry.ts'

/** The committed seed as it is written down: a head, then one entry a line. */
export interface SeedFile {
  readonly format: 1
  /** `digestOf` the entries, so that no start has to hash them. */
  readonly version: string
  /** ISO date of the newest source. */
  readonly asOf: string
  /** Packages it was built from, `name@version`. */
  readonly sources: readonly string[]
  /** The way to each provider that is not Portkey's own. */
  readonly routes: Readonly<Record<string, Route>>
  readonly entries: readonly StoredEntry[]
}

let seed: Catalog | undefined

/** The catalog that ships with this package; read and indexed at the first call, the same object ever after. */
export function seedCatalog(): Catalog {
  seed ??= catalogOfSeed(JSON.parse(packageData('seed.json')) as SeedFile)
  return seed
}

/** A catalog of a seed file's content. */
export function catalogOfSeed(file: SeedFile): Catalog {
  const { complete } = completer(file)
  return createCatalog(file.entries.map(complete), file.version === '' ? {} : { version: file.version })
}
