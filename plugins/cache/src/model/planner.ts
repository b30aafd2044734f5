import { hash } from 'node:crypto'
import type { Call, WellKnownAttributes } from '@switchyard/contract'
import { LRUCache } from 'lru-cache'
import type { BypassPlan, BypassReason, Plan } from '../kind.ts'
import { type Identity, identityOf } from './identity.ts'
import type { ModelOptions, ScopeKind } from './options.ts'
import { routeOf, type Settings } from './route-of.ts'
import { type Scope, scopeOf } from './scope.ts'
import { headersDigest, varyingHeaders } from './varying-headers.ts'
import { type Wishes, wishesOf } from './wishes.ts'

type ModelCall = Call<'model.invoke'>

export interface PlannerParts {
  readonly options: ModelOptions
  /** Keys are made with it. */
  readonly secret: string
  readonly versionOf: (model: string) => string | undefined
}

/** How calls of models are looked up. */
export interface Planner {
  /** Throws `INVALID_REQUEST` for a wish that is none, and for a principal with an empty part. */
  plan(call: ModelCall): Plan | BypassPlan
  /** What it looked at; no secret and no text. Throws as `plan` does. */
  explain(call: ModelCall): Readonly<Record<string, unknown>>
  settingsOf(call: Pick<ModelCall, 'request'>): Settings
}

/** One kept in the memo: all of a plan that does not hang on what its caller wishes. */
interface Known {
  readonly settings: Settings
  readonly identity: Identity | { readonly reason: BypassReason }
  /** The plan of a caller who wishes nothing. */
  readonly plain: Plan | BypassPlan
}

/** Makes the planner. What it has worked out of a body it knows again by the body's bytes. */
export function planner({ options, secret, versionOf }: PlannerParts): Planner {
  const settingsFor = routeOf(options)
  const vary: ReadonlySet<string> = new Set(options.varyHeaders)
  const memo =
    options.memoBytes === 0 ? undefined : new LRUCache<string, Known>({ maxSize: options.memoBytes, sizeCalculation: sizeOf })

  function workOut(call: ModelCall, settings: Settings, scope: Scope, asked: readonly string[], headers: string): Known {
    const identity = identityOf({
      call,
      settings,
      scope,
      asked,
      headers,
      options,
      secret,
      stands: versionOf(call.request.model),
    })
    return { settings, identity, plain: 'reason' in identity ? { bypass: identity.reason } : planOf(identity, settings) }
  }

  function known(call: ModelCall, settings: Settings, { scope: wished, tags }: Wishes): Known {
    const { request, principal } = call
    const scope = scopeOf(principal, settings.scope, wished)
    const headers = headersDigest(request.headers, vary)
    if (memo === undefined || request.raw === undefined || request.raw.byteLength > options.maxBodyBytes)
      return workOut(call, settings, scope, tags, headers)
    const name = memoKey(call, settings, scope.kind, tags, headers, request.raw)
    const before = memo.get(name)
    if (before !== undefined) return before
    const made = workOut(call, settings, scope, tags, headers)
    memo.set(name, made)
    return made
  }

  return {
    settingsOf: ({ request }) => settingsFor(request),

    plan(call) {
      if ((call.attributes as WellKnownAttributes).purpose !== undefined) return OWN_CALL
      const settings = settingsFor(call.request)
      if (settings.off) return OFF
      const wishes = wishesOf(call)
      if (wishes.cache === 'no-store') return NO_STORE
      const { plain, identity } = known(call, settings, wishes)
      if ('reason' in identity || 'bypass' in plain)
        return wishes.cache === 'only-if-cached' && 'bypass' in plain ? { ...plain, wish: wishes.cache } : plain
      return isPlain(wishes) ? plain : wished(plain, identity, settings, wishes)
    },

    explain(call) {
      const { request, principal } = call
      const settings = settingsFor(request)
      const wishes = wishesOf(call)
      const scope = scopeOf(principal, settings.scope, wishes.scope)
      const headers = headersDigest(request.headers, vary)
      const { identity } = workOut(call, settings, scope, wishes.tags, headers)
      return {
        endpoint: request.endpoint,
        model: request.model,
        route: settings.name,
        version: settings.version,
        scope: scope.kind,
        sampling: settings.sampling,
        headers: varyingHeaders(request.headers, vary),
        tags: wishes.tags,
        ...(wishes.cache !== undefined && { wish: wishes.cache }),
        ...('reason' in identity
          ? { bypass: identity.reason }
          : {
              partition: identity.partition,
              entry: identity.key,
              ...(identity.prompt !== undefined && { prompt: identity.prompt }),
              turns: identity.turns,
              likeness: identity.likeness !== undefined && wishes.epsilon !== 0,
            }),
      }
    },
  }
}

const OWN_CALL: BypassPlan = Object.freeze({ bypass: 'own-call' })
const OFF: BypassPlan = Object.freeze({ bypass: 'off' })
const NO_STORE: BypassPlan = Object.freeze({ bypass: 'no-store' })

function planOf({ key, partition, mode, tags, likeness }: Identity, { ttlMs, staleMs }: Settings): Plan {
  const open = { maxAgeMs: undefined, wish: undefined, strict: false }
  return Object.freeze({ key, partition, mode, tags, ttlMs, staleMs, likeness, ...open })
}

function isPlain({ cache, maxAgeMs, epsilon, ttlMs }: Wishes): boolean {
  return cache === undefined && maxAgeMs === undefined && epsilon === undefined && ttlMs === undefined
}

function wished(plain: Plan, { likeness }: Identity, settings: Settings, wishes: Wishes): Plan {
  const epsilon = least(settings.epsilon, wishes.epsilon)
  // No answer is of this very moment: that old, it is asked for anew.
  const none = wishes.maxAgeMs === 0 && wishes.cache === undefined
  return {
    ...plain,
    ttlMs: Math.min(plain.ttlMs, wishes.ttlMs ?? plain.ttlMs),
    maxAgeMs: wishes.maxAgeMs,
    wish: none ? 'no-cache' : wishes.cache === 'no-store' ? undefined : wishes.cache,
    likeness: likeness === undefined || epsilon === 0 ? undefined : { ...likeness, epsilon },
  }
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

/** Bytes that one takes in the memo, roughly: its names, which the caller thinks up, stand in it several times. */
function sizeOf({ identity }: Known, name: string): number {
  const { tags = [], likeness } = 'reason' in identity ? {} : identity
  return 1_000 + 2 * (name.length + (likeness?.text.length ?? 0) + tags.reduce((sum, tag) => sum + tag.length, 0))
}

/** Everything that a call's identity is made of, the body by its digest; no two tuples meet, since each field has its length before it. */
function memoKey(
  { request, principal, target }: ModelCall,
  { name }: Settings,
  scope: ScopeKind,
  tags: readonly string[],
  headers: string,
  raw: Uint8Array,
): string {
  const { tenant, keyId, user, team } = principal
  const { endpoint, model, stream } = request
  const digest = hash('sha256', raw, 'base64url')
  const asked = tags.length === 0 ? '' : tags.join(',')
  return (
    digest +
    (stream ? 's' : 'w') +
    field(endpoint) +
    field(model) +
    field(target) +
    field(name) +
    field(scope) +
    field(tenant) +
    field(keyId) +
    field(user) +
    field(team) +
    field(headers) +
    field(asked)
  )
}

function field(text: string | undefined): string {
  return text === undefined ? '-' : `${text.length}:${text}`
}
