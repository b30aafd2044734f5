import { keyedDigest } from './keyed-digest.ts'

/** Borne by every stored reply: its deletion empties the cache. */
export const EVERYTHING = '*'

/**
 * The tag by which the store knows a tenant's tag; without one, what all replies of the tenant bear. The tenant's length stands before it, so
 * that no tenant can name a tag of another's.
 */
export function tenantTag(tenant: string, tag?: string): string {
  return spaced('t', tenant, tag)
}

/**
 * The tag of a table, in lower case; without one, of all that was read through the target. Tenants share it, as they share the table; no
 * tag of a tenant begins as it does.
 */
export function tableTag(target: string, table?: string): string {
  return spaced('s', target, table)
}

function spaced(space: string, owner: string, name: string | undefined): string {
  const all = `${space}${owner.length}:${owner}`
  return name === undefined ? all : `${all}:${name}`
}

/** Longer names are digests in tags. */
const LONGEST = 200

/** What a tenant's tag is called: a model, a prompt, a route, or a tag that callers gave. */
export function tagName(kind: 'model' | 'prompt' | 'route' | 'tag' | 'key' | 'user' | 'team' | 'tenant', name: string): string {
  const whole = `${kind}:${name}`
  return whole.length <= LONGEST ? whole : `${kind}:sha-${keyedDigest('tag', [whole])}`
}

/** A tag of what all tenants share, which none of them may delete. */
export function publicTag(name: string): string {
  return `p:${name}`
}
