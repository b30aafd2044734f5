import { SwitchyardError } from '@switchyard/contract'

/** What one egress may reach, how much it may take and how long it may wait. Frozen once an egress is made of it. */
export interface EgressPolicy {
  /** URL schemes that may be called. Default: `https:` only. */
  readonly schemes: readonly ('https:' | 'http:')[]
  /** Ports that may be called, by number; a URL without one counts as 443 or 80. Default: `any`. */
  readonly ports: readonly number[] | 'any'
  /** CIDR blocks (or single addresses) opened on top of the public internet. Metadata services stay closed whatever this says. */
  readonly allow: readonly string[]
  /** CIDR blocks (or single addresses) closed on top of the built-in list, such as one's own public addresses. Beats `allow`. */
  readonly deny: readonly string[]
  /** Redirects followed a request. Default 0: a 3xx is handed to the caller as it is. */
  readonly maxRedirects: number
  /** Bytes of a reply's body, read whole or in chunks. Default 64 MiB; `Infinity` = no bound. */
  readonly maxResponseBytes: number
  /** Bytes of a reply's header block. Default 16 KiB. */
  readonly maxHeaderBytes: number
  /** DNS, TCP and TLS together. Default 5 s. */
  readonly connectTimeoutMs: number
  /** Request sent to reply headers. Default 30 s; 0 or `Infinity` = no bound but the total. */
  readonly headersTimeoutMs: number
  /** Between two pieces of a body, not counting time in which the caller does not read. Default 30 s; 0 or `Infinity` = none. */
  readonly bodyIdleTimeoutMs: number
  /** A body that has filled its buffer and that nobody reads for so long is destroyed. Default 60 s. */
  readonly readerIdleTimeoutMs: number
  /** From the request to the last byte of the reply, redirects and waiting for a socket included. Default 600 s; `Infinity` = none. */
  readonly totalTimeoutMs: number
  /** Sockets an origin. Default 1024. */
  readonly connections: number
  /** Requests an origin that wait for a socket; one more is refused `OVERLOADED`. Default 1024. */
  readonly maxQueued: number
  /** How long an unused socket is kept, unless the peer says less. Default 4 s: below the usual 5 s of servers. */
  readonly keepAliveTimeoutMs: number
}

const DEFAULTS: EgressPolicy = {
  schemes: ['https:'],
  ports: 'any',
  allow: [],
  deny: [],
  maxRedirects: 0,
  maxResponseBytes: 64 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 30_000,
  readerIdleTimeoutMs: 60_000,
  totalTimeoutMs: 600_000,
  connections: 1024,
  maxQueued: 1024,
  keepAliveTimeoutMs: 4_000,
}

/** Numbers that may not be 0 or infinite, since undici has no meaning for that or the limit would be none. */
const POSITIVE: readonly (keyof EgressPolicy)[] = ['maxHeaderBytes', 'connectTimeoutMs', 'connections', 'keepAliveTimeoutMs']
const COUNTS: readonly (keyof EgressPolicy)[] = [
  'maxRedirects',
  'maxResponseBytes',
  'headersTimeoutMs',
  'bodyIdleTimeoutMs',
  'readerIdleTimeoutMs',
  'totalTimeoutMs',
  'maxQueued',
]

/**
 * Fills a partial policy with the defaults and freezes it.
 * @throws SwitchyardError `CONFIG_INVALID` for an unknown key, a scheme other than http and https, or a number out of range.
 */
export function resolvePolicy(partial: Partial<EgressPolicy> = {}): EgressPolicy {
  const policy: EgressPolicy = { ...DEFAULTS }
  for (const [key, value] of Object.entries(partial)) {
    if (!(key in DEFAULTS)) throw invalid(`unknown option ${key}; known are ${Object.keys(DEFAULTS).join(', ')}`)
    if (value !== undefined) (policy as unknown as Record<string, unknown>)[key] = value
  }
  for (const scheme of policy.schemes) {
    if (scheme !== 'https:' && scheme !== 'http:')
      throw invalid(`schemes: ${JSON.stringify(scheme)} is neither "https:" nor "http:"`)
  }
  for (const port of policy.ports === 'any' ? [] : policy.ports) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`ports: ${String(port)} is not a port number`)
  }
  for (const key of POSITIVE) {
    const value = policy[key]
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 1) throw invalid(`${key}: give a finite number from 1`)
  }
  for (const key of COUNTS) {
    const value = policy[key]
    if (typeof value !== 'number' || !(value >= 0)) throw invalid(`${key}: give a number from 0`)
  }
  return Object.freeze(policy)
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `egress policy: ${message}`)
}
