import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import {
  type Access,
  type Identity,
  type IdentityClass,
  type Principal,
  type Secret,
  SwitchyardError,
} from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import { requireLocal } from './local-request.ts'

export interface KeyEntry {
  readonly key: Secret
  readonly tenant: string
  readonly id?: string | undefined
  readonly team?: string | undefined
  readonly roles?: readonly string[] | undefined
}

/** Beside what the port `access` tells apart: a key of the configuration, and everyone on this machine where there is no key at all. */
export type CallerClass = IdentityClass | 'configured' | 'local'

export interface Authenticated {
  readonly principal: Principal
  readonly class: CallerClass
  /** The client's headers without the credential that was ours: what may go on to a provider. */
  readonly headers: IncomingHttpHeaders
}

/**
 * `source` is the peer's address. Throws or rejects `UNAUTHENTICATED`, `RATE_LIMITED` after too many failures, and `FORBIDDEN` for who has
 * no key where only programs of this machine need none.
 */
export type Authenticate = (headers: IncomingHttpHeaders, source?: string) => Authenticated | Promise<Authenticated>

export interface AuthenticatorParts {
  /** Keys of the configuration. */
  readonly keys: readonly KeyEntry[]
  /** Keys that are kept, and tokens. */
  readonly access?: Access | undefined
  /** The server listens on loopback only: while there is no key, everyone who reaches it may call. */
  readonly local: boolean
}

const LOCAL: Principal = Object.freeze({ tenant: 'local', keyId: 'local', roles: Object.freeze(['admin']) })
const CARRIERS = ['authorization', 'x-portkey-api-key', 'api-key', 'x-api-key'] as const

/**
 * Who asks, from `Authorization: Bearer`, `x-portkey-api-key`, `api-key` or `x-api-key`: a key of the configuration, else whom the port
 * `access` knows. Keys of the configuration are kept and compared as SHA-256, so nothing is learnt from timing.
 */
export function authenticator({ keys, access, local }: AuthenticatorParts): Authenticate {
  const configured = configuredKeys(keys)
  return (headers, source) => {
    if (configured !== undefined) {
      const found = configured(headers)
      if (found !== undefined) return found
    } else if (local && (access === undefined || !access.configured())) {
      requireLocal(headers, source)
      return { principal: LOCAL, class: 'local', headers }
    }
    if (access === undefined) throw refused(headers)
    const identity = access.authenticate(headers, { source })
    return identity instanceof Promise ? identity.then((one) => known(one, headers)) : known(identity, headers)
  }
}

/** Whether a key must be sent: false only on loopback, while there is none. */
export function keyNeeded({ keys, access, local }: AuthenticatorParts): boolean {
  return !local || keys.length > 0 || access?.configured() === true
}

/** Lets those pass who may call models. Throws `FORBIDDEN` for an admin key, which is for the admin API only. */
export function mayCall(caller: Authenticated): Authenticated {
  if (caller.class !== 'admin') return caller
  throw new SwitchyardError('FORBIDDEN', 'this is an admin key, which never calls a model: create a virtual key for that')
}

const BODY_GRACE_MS = 500

/**
 * Whether a body took so long since `begun`, in epoch ms, that its sender is to be asked again who it is: a key may have been revoked meanwhile,
 * and whoever held a request open must not have it served.
 */
export function isLate(begun: number): boolean {
  return systemClock.now() - begun >= BODY_GRACE_MS
}

function configuredKeys(keys: readonly KeyEntry[]): ((headers: IncomingHttpHeaders) => Authenticated | undefined) | undefined {
  if (keys.length === 0) return undefined
  const principals = new Map<string, Principal>()
  for (const { key, tenant, id, team, roles } of keys) {
    const digest = hash('sha256', key.reveal())
    if (principals.has(digest))
      throw new SwitchyardError('CONFIG_INVALID', `auth.keys: the key of ${id ?? tenant} is listed twice`)
    const keyId = id ?? digest.slice(0, 12)
    principals.set(digest, Object.freeze({ tenant, keyId, ...(team && { team }), roles: roles ?? [] }))
  }
  return (headers) => {
    for (const carrier of CARRIERS) {
      const presented = bearer(headers[carrier])
      const principal = presented === undefined ? undefined : principals.get(hash('sha256', presented))
      if (principal !== undefined) return { principal, class: 'configured', headers: without(headers, carrier) }
    }
    return undefined
  }
}

function known({ principal, carrier, class: of }: Identity, headers: IncomingHttpHeaders): Authenticated {
  return { principal, class: of, headers: without(headers, carrier) }
}

/** Some clients send one key in several headers: none of them may go on to a provider. */
function without(headers: IncomingHttpHeaders, carrier: string): IncomingHttpHeaders {
  const { [carrier]: ours, ...rest } = headers
  const key = bearer(ours)
  for (const other of CARRIERS) if (rest[other] !== undefined && bearer(rest[other]) === key) delete rest[other]
  return rest
}

function refused(headers: IncomingHttpHeaders): SwitchyardError {
  return new SwitchyardError(
    'UNAUTHENTICATED',
    CARRIERS.some((carrier) => headers[carrier] !== undefined)
      ? 'incorrect API key: it is not one of this gateway (auth.keys in its configuration)'
      : 'no API key: send it as "Authorization: Bearer KEY"',
  )
}

function bearer(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  return value.startsWith('Bearer ') ? value.slice(7) : value
}
