import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Principal, type Secret, SwitchyardError } from '@switchyard/contract'

export interface KeyEntry {
  readonly key: Secret
  readonly tenant: string
  readonly id?: string | undefined
  readonly team?: string | undefined
  readonly roles?: readonly string[] | undefined
}

export interface Authenticated {
  readonly principal: Principal
  /** The client's headers without the credential that was ours: what may go on to a provider. */
  readonly headers: IncomingHttpHeaders
}

export type Authenticate = (headers: IncomingHttpHeaders) => Authenticated

const LOCAL: Principal = Object.freeze({ tenant: 'local', keyId: 'local', roles: Object.freeze(['admin']) })
const CARRIERS = ['authorization', 'x-portkey-api-key', 'api-key', 'x-api-key'] as const

/**
 * Who asks, from `Authorization: Bearer`, `x-portkey-api-key`, `api-key` or `x-api-key`. Without configured keys everyone is the local
 * principal: the server then listens on loopback only. Keys are kept and compared as SHA-256, so nothing is learnt from timing.
 * The returned function throws `UNAUTHENTICATED`.
 */
export function authenticator(keys: readonly KeyEntry[]): Authenticate {
  if (keys.length === 0) return (headers) => ({ principal: LOCAL, headers })
  const known = new Map<string, Principal>()
  for (const { key, tenant, id, team, roles } of keys) {
    const digest = hash('sha256', key.reveal())
    if (known.has(digest)) throw new SwitchyardError('CONFIG_INVALID', `auth.keys: the key of ${id ?? tenant} is listed twice`)
    known.set(digest, Object.freeze({ tenant, keyId: id ?? digest.slice(0, 12), ...(team && { team }), roles: roles ?? [] }))
  }
  return (headers) => {
    for (const carrier of CARRIERS) {
      const presented = bearer(headers[carrier])
      const principal = presented === undefined ? undefined : known.get(hash('sha256', presented))
      if (principal === undefined) continue
      const { [carrier]: _, ...rest } = headers
      return { principal, headers: rest }
    }
    throw new SwitchyardError(
      'UNAUTHENTICATED',
      CARRIERS.some((carrier) => headers[carrier] !== undefined)
        ? 'incorrect API key: it is not one of this gateway (auth.keys in its configuration)'
        : 'no API key: send it as "Authorization: Bearer KEY"',
    )
  }
}

function bearer(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  return value.startsWith('Bearer ') ? value.slice(7) : value
}
