import { egressError, refusedError } from './errors.ts'
import type { EgressPolicy } from './policy.ts'
import type { OriginPool } from './pool.ts'

/** A URL that passed the checks which need no address. */
export interface Target {
  /** Canonical, without the fragment. */
  readonly url: string
  readonly origin: string
  readonly path: string
  pool: OriginPool
}

/**
 * Parses and checks a URL in this order: WHATWG parse, scheme, user info, port, host. The host comes out canonical: numbers in
 * any spelling as dotted quads and IDN as punycode by the parser, one trailing dot off. Addresses are the connector's to check.
 * @throws SwitchyardError `INVALID_REQUEST` for what is no absolute URL, `POLICY_REFUSED` for what the policy closes.
 */
export function vetUrl(href: string, policy: EgressPolicy, plugin?: string): URL {
  const url = URL.parse(href)
  if (url === null) {
    const message = 'egress: not an absolute URL; give one such as https://api.example.com/v1'
    throw egressError(plugin, 'INVALID_REQUEST', message, { sent: false })
  }
  const scheme = url.protocol
  if (!(policy.schemes as readonly string[]).includes(scheme)) {
    throw refusedError(
      plugin,
      `${scheme}//${url.hostname}`,
      `scheme ${scheme} is closed; open ones are ${policy.schemes.join(' ')} (option "schemes")`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw refusedError(
      plugin,
      `${scheme}//${url.hostname}`,
      'the URL holds a user name or password; send an authorization header instead',
    )
  }
  const port = url.port === '' ? (scheme === 'https:' ? 443 : 80) : Number(url.port)
  if (policy.ports !== 'any' && !policy.ports.includes(port)) {
    throw refusedError(plugin, url.origin, `port ${port} is closed; open ones are ${policy.ports.join(' ')} (option "ports")`)
  }
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  if (url.hostname === '' || url.hostname.endsWith('.') || url.hostname.startsWith('.') || url.hostname.includes('..')) {
    throw refusedError(plugin, url.origin, 'the host name has an empty label')
  }
  url.hash = ''
  return url
}
