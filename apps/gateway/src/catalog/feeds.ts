import {
  type Import,
  importingLiteLlm,
  importingModelsDev,
  importPortkeyGeneral,
  importPortkeyPricing,
  NATIVE_PROVIDERS,
  type Work,
} from '@switchyard/catalog'
import { SwitchyardError } from '@switchyard/contract'
import type { FeedUrls, UpdateOptions } from './options.ts'

/** One public list, in one file or in one a provider. */
export interface Feed {
  readonly name: string
  readonly files: readonly FeedFile[]
}

export interface FeedFile {
  /** Name under which it is kept. */
  readonly key: string
  readonly url: string
  /** A file that is not there says nothing, as of a provider that the feed does not know. */
  readonly mayBeAbsent: boolean
  /** Work that throws `UPSTREAM_INVALID` for bytes that are no such file. */
  read(bytes: Uint8Array, asOf: string): Work<Import>
}

/** Second spellings of providers, which stand beside the first in Portkey's `general/`. */
const SECOND_SPELLINGS = ['open-ai', 'fireworks', 'nomic-ai']

/** The feeds that are asked. @throws SwitchyardError `CONFIG_INVALID` for a URL whose host is not among `hosts`. */
export function feedsOf({ urls, hosts }: Pick<UpdateOptions, 'urls' | 'hosts'>): readonly Feed[] {
  const outside = Object.values(urls as unknown as Record<string, string | false>).filter(
    (url): url is string => url !== false && !hosts.includes(new URL(url).hostname),
  )
  if (outside.length > 0) {
    const message = `catalog: update.urls leads to other hosts than those of update.hosts: ${outside.join(', ')}`
    throw new SwitchyardError('CONFIG_INVALID', message)
  }
  const whole = (name: string, url: FeedUrls[keyof FeedUrls], read: FeedFile['read']): readonly Feed[] =>
    url === false ? [] : [{ name, files: [{ key: name, url, mayBeAbsent: false, read }] }]
  const bySlug = (
    name: string,
    url: FeedUrls[keyof FeedUrls],
    slugs: readonly string[],
    read: (slug: string, bytes: Uint8Array, asOf: string) => Import,
  ): readonly Feed[] => {
    if (url === false) return []
    const files = slugs.map((slug) => ({
      key: slug,
      url: url.replaceAll('{slug}', slug),
      mayBeAbsent: true,
      read: (bytes: Uint8Array, asOf: string) => atOnce(() => read(slug, bytes, asOf)),
    }))
    return [{ name, files }]
  }
  const slugs = [...NATIVE_PROVIDERS].sort()
  return [
    ...bySlug('portkey-pricing', urls.portkeyPricing, slugs, (slug, bytes, asOf) =>
      importPortkeyPricing(slug, bytes, { asOf }),
    ),
    ...bySlug('portkey-general', urls.portkeyGeneral, [...slugs, ...SECOND_SPELLINGS], (slug, bytes, asOf) =>
      importPortkeyGeneral(slug, bytes, { asOf }),
    ),
    ...whole('models-dev', urls.modelsDev, (bytes, asOf) => importingModelsDev(bytes, { asOf })),
    ...whole('litellm', urls.liteLlm, (bytes, asOf) => importingLiteLlm(bytes, { asOf })),
  ]
}

/** A small file needs no pause within it. */
// biome-ignore lint/correctness/useYield: work of one step
function* atOnce(read: () => Import): Work<Import> {
  return read()
}

/** The imports of a feed's files as one. */
export function joined(imports: readonly Import[]): Import {
  const unknownKeys: Record<string, number> = {}
  for (const one of imports)
    for (const [key, count] of Object.entries(one.unknownKeys)) unknownKeys[key] = (unknownKeys[key] ?? 0) + count
  return {
    rows: imports.flatMap(({ rows }) => rows),
    seen: imports.reduce((sum, { seen }) => sum + seen, 0),
    rejected: imports.flatMap(({ rejected }) => rejected),
    dropped: imports.flatMap(({ dropped }) => dropped),
    toCheck: imports.flatMap(({ toCheck }) => toCheck),
    unknownKeys,
  }
}
