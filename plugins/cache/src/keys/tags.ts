/** Borne by every stored reply: its deletion empties the cache. */
export const EVERYTHING = '*'

/**
 * A tag of one tenant. No two pairs of tenant and tag give the same, so that no tenant reaches what is another's. The empty tag is borne by
 * all of the tenant's replies.
 */
export function tenantTag(tenant: string, tag: string): string {
  return `t:${encodeURIComponent(tenant.toWellFormed())}:${tag}`
}

/** A table of a database, whoever asks: a write of one tenant changes what another reads. Without a table: all of the target's. */
export function tableTag(target: string, table?: string): string {
  const whole = `s:${encodeURIComponent(target.toWellFormed())}:`
  return table === undefined ? whole : `${whole}${table}`
}
