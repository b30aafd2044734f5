import { type Principal, SwitchyardError } from '@switchyard/contract'
import { SCOPES, type ScopeKind } from './options.ts'

/** Who shares answers with whom. */
export interface Scope {
  readonly kind: ScopeKind
  /** What of the principal is in the key beside its tenant: everything that narrows it. */
  readonly parts: readonly (string | undefined)[]
  /** More than one user may be answered alike. */
  readonly shared: boolean
}

const NOTHING: readonly undefined[] = Object.freeze([])

/**
 * The scope of a call: what the route has, or less where the caller asks for less. A principal without a team or user has the next narrower
 * scope in its place. Throws `INVALID_REQUEST` for a wish to share more than is allowed, and for a principal with an empty part.
 */
export function scopeOf(principal: Principal, allowed: ScopeKind, wished: ScopeKind | undefined): Scope {
  const { tenant, keyId, user, team } = principal
  for (const [name, part] of Object.entries({ tenant, keyId, user, team }))
    if (part === '')
      throw new SwitchyardError('INVALID_REQUEST', `cache: the principal's ${name} is empty`, { details: { param: name } })
  if (wished !== undefined && SCOPES.indexOf(wished) > SCOPES.indexOf(allowed)) {
    const what = `may not be wider than ${allowed}, which is what is set here`
    const param = 'x-switchyard-cache-scope'
    throw new SwitchyardError('INVALID_REQUEST', `the header ${param} ${what}`, { details: { param } })
  }
  let kind = wished ?? allowed
  if (kind === 'team' && team === undefined) kind = 'user'
  if (kind === 'user' && user === undefined) kind = 'key'
  switch (kind) {
    case 'key':
      // One key may serve several users.
      return { kind, parts: [keyId, user], shared: false }
    case 'user':
      return { kind, parts: [user], shared: false }
    case 'team':
      return { kind, parts: [team], shared: true }
    default:
      return { kind, parts: NOTHING, shared: true }
  }
}
