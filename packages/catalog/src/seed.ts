import { type Catalog, createCatalog } from './catalog.ts'
import { CAPABILITIES, type Capability, type Modality, type Route } from './entry.ts'
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
  readonly entries: readonly SeedEntry[]
}

/** A stored entry with the two members that repeat most written short, so that a line stays readable and the file small. */
export interface SeedEntry extends Omit<StoredEntry, 'caps' | 'modalities'> {
  /** `tools vision -audioIn`: what it can, and with a minus what it cannot; what is unknown is not there. */
  readonly caps?: string
  /** `text,image>text`. */
  readonly modalities?: string
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
  const caps = memo(capsOf)
  const modalities = memo(modalitiesOf)
  const entries = file.entries.map((line) => {
    const stored: { -readonly [K in keyof StoredEntry]: StoredEntry[K] } = line as Omit<SeedEntry, 'caps' | 'modalities'>
    if (line.caps !== undefined) stored.caps = caps(line.caps)
    if (line.modalities !== undefined) stored.modalities = modalities(line.modalities)
    return complete(stored)
  })
  return createCatalog(entries, { version: file.version })
}

function memo<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>()
  return (text) => {
    let found = made.get(text)
    if (found === undefined) {
      found = make(text)
      made.set(text, found)
    }
    return found
  }
}

function capsOf(text: string): NonNullable<StoredEntry['caps']> {
  const words = text.split(' ').map((word) => (word.startsWith('-') ? [word.slice(1), false] : [word, true]))
  return Object.fromEntries(words) as Partial<Record<Capability, boolean>>
}

function modalitiesOf(text: string): NonNullable<StoredEntry['modalities']> {
  const [input = '', output = ''] = text.split('>')
  const list = (side: string): readonly Modality[] => (side === '' ? [] : (side.split(',') as Modality[]))
  return { input: list(input), output: list(output) }
}

/** The line of an entry in a seed file; `asOf` is the file's date, which goes without saying. */
export function seedLine({ caps, modalities, provenance, ...rest }: StoredEntry, asOf: string): SeedEntry {
  const { asOf: own, ...said } = provenance ?? {}
  return {
    ...rest,
    ...(caps === undefined || Object.keys(caps).length === 0 ? {} : { caps: capsText(caps) }),
    ...(modalities === undefined ? {} : { modalities: `${modalities.input.join()}>${modalities.output.join()}` }),
    provenance: { ...(own === undefined || own === asOf ? {} : { asOf: own }), ...said },
  }
}

function capsText(caps: NonNullable<StoredEntry['caps']>): string {
  return CAPABILITIES.filter((name) => caps[name] !== undefined)
    .map((name) => (caps[name] === true ? name : `-${name}`))
    .join(' ')
}
