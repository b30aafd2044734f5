import { type Attributes, SwitchyardError, type WellKnownAttributes } from '@switchyard/contract'

/** What a caller asks of the cache. */
export interface Wishes {
  readonly wish: 'no-store' | 'no-cache' | 'only-if-cached' | undefined
  readonly maxAgeMs: number | undefined
  /** Distinct. */
  readonly tags: readonly string[]
}

const NONE: Wishes = Object.freeze({ wish: undefined, maxAgeMs: undefined, tags: Object.freeze([]) })
const WISHES: ReadonlySet<unknown> = new Set(['no-store', 'no-cache', 'only-if-cached'])
const MOST_TAGS = 16
const TAG = /^[\w:.-]{1,64}$/

/** The wishes in a call's attributes. Throws `INVALID_REQUEST` for one that is none, naming it. */
export function wishesOf(attributes: Attributes): Wishes {
  const { cache, cacheMaxAgeMs: maxAgeMs, cacheTags } = attributes as WellKnownAttributes
  if (cache === undefined && maxAgeMs === undefined && cacheTags === undefined) return NONE
  if (cache !== undefined && !WISHES.has(cache))
    throw invalid('cache', cache, 'say no-store, no-cache or only-if-cached, or leave it out')
  if (maxAgeMs !== undefined && !(typeof maxAgeMs === 'number' && maxAgeMs >= 0))
    throw invalid('cacheMaxAgeMs', maxAgeMs, 'give a number of milliseconds from 0')
  return { wish: cache, maxAgeMs, tags: cacheTags === undefined ? [] : tagsIn(cacheTags) }
}

function tagsIn(text: unknown): readonly string[] {
  const parts = String(text)
    .split(',')
    .map((tag) => tag.trim())
  const tags = [...new Set(parts.filter((tag) => tag !== ''))]
  if (tags.length > MOST_TAGS || !tags.every((tag) => TAG.test(tag)))
    throw invalid(
      'cacheTags',
      text,
      `give up to ${MOST_TAGS} tags with commas between, each of 64 letters, digits and _ : . - at most`,
    )
  return tags
}

function invalid(name: string, value: unknown, mend: string): SwitchyardError {
  return new SwitchyardError(
    'INVALID_REQUEST',
    `cache: the attribute ${name} is ${JSON.stringify(String(value).slice(0, 100))}; ${mend}`,
    {
      details: { param: name },
    },
  )
}
