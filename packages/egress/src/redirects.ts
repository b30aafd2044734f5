import { refusedError } from './errors.ts'
import type { EgressReply, EgressRequest } from './exchange.ts'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const CREDENTIAL = /auth|cookie|token|secret|key|signature|session|credential|password|^x-portkey-/i
const CONTENT = /^content-/i

/** The next hop of a redirect: what to send, and where. */
export interface Hop {
  readonly url: string
  readonly request: EgressRequest
}

/**
 * Reads a redirect; undefined for any other reply, and for one without a usable `Location`. To another origin, the `host` header
 * and every header whose name tells of a credential are dropped. 303, and 301 or 302 after a POST, become a GET without body, as
 * browsers do (RFC 9110 section 15.4).
 * @throws SwitchyardError `POLICY_REFUSED` for a step from https to http.
 */
export function redirectOf(reply: EgressReply, request: EgressRequest, plugin?: string): Hop | undefined {
  const location = reply.headers.location
  if (location === undefined || !REDIRECTS.has(reply.status)) return undefined
  const from = new URL(reply.url)
  const to = URL.parse(location, from.href)
  if (to === null) return undefined
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refusedError(plugin, to.origin, `redirect from ${from.origin} would leave TLS`)
  }
  const method = (request.method ?? 'GET').toUpperCase()
  const asGet = reply.status === 303 ? method !== 'HEAD' : reply.status < 303 && method === 'POST'
  const foreign = from.origin !== to.origin
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (foreign && (CREDENTIAL.test(name) || name.toLowerCase() === 'host')) continue
    if (asGet && CONTENT.test(name)) continue
    headers[name] = value
  }
  const { body: _body, ...rest } = request
  return { url: to.href, request: asGet ? { ...rest, method: 'GET', headers } : { ...request, headers } }
}
