import type { Cache } from '@switchyard/contract'

/** Copies of entries as a policy keeps them: of use while the changes are current, dropped by what is told. */
export interface Copies {
  /** Reads through the cache and keeps a copy of what it gave. */
  read(key: string): Promise<string | undefined>
  /** The copy, where it may be used now. */
  use(key: string): string | undefined
  readonly told: readonly string[]
}

/** Keeps copies beside a cache. */
export function copiesOf(cache: Cache): Copies {
  const copies = new Map<string, { readonly text: string; readonly tags: readonly string[] }>()
  const told: string[] = []
  cache.changes?.listen((change) => {
    told.push(change.kind === 'all' ? 'all' : change.kind === 'tag' ? `tag ${change.tag}` : `key ${change.key}`)
    if (change.kind === 'all') copies.clear()
    else if (change.kind === 'key') copies.delete(change.key)
    else for (const [key, { tags }] of copies) if (tags.includes(change.tag)) copies.delete(key)
  })
  return {
    async read(key) {
      const entry = await cache.get(key)
      if (entry === undefined) return undefined
      const text = Buffer.from(entry.value).toString()
      copies.set(key, { text, tags: entry.tags ?? [] })
      return text
    },
    use: (key) => (cache.changes?.current() === true ? copies.get(key)?.text : undefined),
    told,
  }
}
