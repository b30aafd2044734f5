import { type Call, SwitchyardError, type WellKnownAttributes } from '@switchyard/contract'
import { SCOPES, type ScopeKind } from './options.ts'

/** What a caller wants of the cache, by headers and attributes. It may tighten what is set, and never widen it. */
export interface Wishes {
  readonly cache: 'no-store' | 'no-cache' | 'only-if-cached' | undefined
  readonly maxAgeMs: number | undefined
  readonly scope: ScopeKind | undefined
  /** Distinct, sorted. */
  readonly tags: readonly string[]
  readonly epsilon: number | undefined
  readonly ttlMs: number | undefined
}

const CONTROL = 'cache-control'
const SCOPE = 'x-switchyard-cache-scope'
const TAGS = 'x-switchyard-cache-tags'
const EPSILON = 'x-switchyard-cache-epsilon'
const TTL = 'x-switchyard-cache-ttl'

const NONE: Wishes = Object.freeze({
  cache: undefined,
  maxAgeMs: undefined,
  scope: undefined,
  tags: Object.freeze([]),
  epsilon: undefined,
  ttlMs: undefined,
})
const TAG = /^[A-Za-z0-9_:.-]{1,64}$/
const MAX_TAGS = 16
/** What an age or a lifetime may be at most, in seconds: longer ones mean the same. */
const MAX_SECONDS = 2_147_483_648

type Directive = NonNullable<Wishes['cache']>

/** Reads them. Throws `INVALID_REQUEST`, `details.param` naming the header or attribute, for a value that is none. */
export function wishesOf({ request, attributes }: Pick<Call<'model.invoke'>, 'request' | 'attributes'>): Wishes {
  const headers = request.headers ?? {}
  const { cache, cacheMaxAgeMs, cacheTags } = attributes as WellKnownAttributes
  const control = headers[CONTROL]
  const scope = headers[SCOPE]
  const tags = headers[TAGS]
  const epsilon = headers[EPSILON]
  const ttl = headers[TTL]
  if ((control ?? scope ?? tags ?? epsilon ?? ttl ?? cache ?? cacheMaxAgeMs ?? cacheTags) === undefined) return NONE
  const directives = new Set<Directive>()
  let maxAgeMs = control === undefined ? undefined : readControl(control, directives)
  if (cache !== undefined) directives.add(directiveIn(cache))
  if (cacheMaxAgeMs !== undefined) maxAgeMs = Math.min(maxAgeMs ?? Number.POSITIVE_INFINITY, ageIn(cacheMaxAgeMs))
  return {
    cache: strictest(directives),
    maxAgeMs,
    scope: scope === undefined ? undefined : scopeIn(scope),
    tags:
      tags === undefined && cacheTags === undefined
        ? NONE.tags
        : tagsIn([
            [TAGS, tags],
            ['cacheTags', cacheTags],
          ]),
    epsilon: epsilon === undefined ? undefined : epsilonIn(epsilon),
    ttlMs: ttl === undefined ? undefined : secondsIn(TTL, ttl, 1) * 1_000,
  }
}

/** Directives of RFC 9111 that mean something here; others are passed over, as it asks. Gives the oldest age that will do, in ms. */
function readControl(control: string, directives: Set<Directive>): number | undefined {
  let maxAgeMs: number | undefined
  for (const one of control.split(',')) {
    const equals = one.indexOf('=')
    const name = (equals === -1 ? one : one.slice(0, equals)).trim().toLowerCase()
    if (name === 'no-store' || name === 'no-cache' || name === 'only-if-cached') directives.add(name)
    else if (name === 'max-age') {
      const value = equals === -1 ? '' : one.slice(equals + 1).trim()
      const unquoted = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
      const seconds = secondsIn(CONTROL, unquoted, 0)
      maxAgeMs = Math.min(maxAgeMs ?? Number.POSITIVE_INFINITY, seconds * 1_000)
    }
  }
  return maxAgeMs
}

function strictest(directives: ReadonlySet<Directive>): Directive | undefined {
  if (!directives.has('only-if-cached')) {
    if (directives.has('no-store')) return 'no-store'
    return directives.has('no-cache') ? 'no-cache' : undefined
  }
  if (directives.size === 1) return 'only-if-cached'
  throw invalid(CONTROL, 'asks for nothing but a stored answer and for no stored answer')
}

function directiveIn(cache: unknown): Directive {
  if (cache === 'no-store' || cache === 'no-cache' || cache === 'only-if-cached') return cache
  throw invalid('cache', 'is no-cache, no-store or only-if-cached', 'attribute')
}

function ageIn(ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0) return ms
  throw invalid('cacheMaxAgeMs', 'is a number of milliseconds, 0 or more', 'attribute')
}

function scopeIn(scope: string): ScopeKind {
  const found = SCOPES.find((one) => one === scope.trim())
  if (found !== undefined) return found
  throw invalid(SCOPE, `is one of ${SCOPES.join(', ')}`)
}

function tagsIn(lists: readonly (readonly [name: string, list: unknown])[]): readonly string[] {
  const tags = new Set<string>()
  for (const [name, list] of lists) {
    if (list === undefined) continue
    const kind = name === TAGS ? 'header' : 'attribute'
    for (const one of String(list).split(',')) {
      const tag = one.trim()
      if (tag === '') continue
      if (!TAG.test(tag)) throw invalid(name, 'is a list of tags of at most 64 letters, digits, _ - : and . each', kind)
      tags.add(tag)
      if (tags.size > MAX_TAGS) throw invalid(name, `names more than ${MAX_TAGS} tags`, kind)
    }
  }
  return [...tags].sort()
}

function epsilonIn(value: string): number {
  const share = /^\d?(?:\.\d{1,12})?$/.test(value) && value !== '' && value !== '.' ? Number(value) : Number.NaN
  if (share >= 0 && share < 1) return share
  throw invalid(EPSILON, 'is a share from 0 to below 1, such as 0.01')
}

function secondsIn(name: string, value: string, least: number): number {
  const seconds = /^\d+$/.test(value) ? Math.min(Number(value), MAX_SECONDS) : Number.NaN
  if (seconds >= least) return seconds
  throw invalid(name, `${name === CONTROL ? 'has a max-age that is no' : 'is a'} whole number of seconds, ${least} or more`)
}

function invalid(param: string, what: string, kind: 'header' | 'attribute' = 'header'): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `the ${kind} ${param} ${what}`, { details: { param } })
}
