/** Names of the keys of the log, which share a slot of a cluster. */
export interface LogKeys {
  /** The stream. */
  readonly log: string
  /** The hash of everything that must be lost together, or not at all: genesis, tags, leases. */
  readonly state: string
  /** The stream by which others tell a node what they have applied. */
  inbox(node: string): string
}

/**
 * Makes the names of a prefix. The prefix holds no brace, so the first brace ends it, and no two prefixes meet.
 */
export function logKeys(keyPrefix: string): LogKeys {
  const shared = `${keyPrefix}{cache}:`
  return { log: `${shared}log`, state: `${shared}state`, inbox: (node) => `${shared}inbox:${node}` }
}
