import type { Principal } from '../call.ts'
import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'
import type { Secret } from '../secret.ts'

/** What may carry a credential, in lower case, as Node's `IncomingHttpHeaders` has them. */
export type CredentialHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** `virtual` keys call models and never administer, `admin` keys the other way round; `jwt` is what an identity provider signed. */
export type IdentityClass = 'virtual' | 'admin' | 'jwt'

/** Who asks, and what proved it. Frozen. */
export interface Identity {
  readonly principal: Principal
  /** The header that held the credential, in lower case: it is ours, and must not be forwarded. */
  readonly carrier: string
  readonly class: IdentityClass
}

export interface AuthenticateOptions extends CallOptions {
  /** Address of the peer. Keys that are bound to addresses are refused without it. */
  readonly source?: string | undefined
}

/** Tells who asks. There is no anonymous default. */
export interface Access {
  /**
   * Whether anyone could be let in: some key was stored, even one that is revoked, or an issuer of tokens is configured. Stays true
   * once it was.
   */
  configured(): boolean
  /**
   * Gives the identity at once where it is known from a moment ago, else a promise. Throws or rejects `UNAUTHENTICATED`, whatever was
   * wrong and without saying what, also where a step failed; `RATE_LIMITED` after too many failures.
   */
  authenticate(headers: CredentialHeaders, options?: AuthenticateOptions): Identity | Promise<Identity>
}

export const access: Port<Access> = definePort<Access>('access', 1)

/** Roles of admin keys, the least first: each may do what those before it may. */
export const ADMIN_ROLES: readonly ['viewer', 'operator', 'admin'] = Object.freeze(['viewer', 'operator', 'admin'] as const)

/** `viewer` reads; `operator` changes what is not an admin key; `admin` does everything. */
export type AdminRole = (typeof ADMIN_ROLES)[number]

/** What is known of a key. Never the secret, and nothing that it could be checked by. */
export interface KeyRecord {
  /** Public; it is the `keyId` of the principal. */
  readonly id: string
  readonly class: 'virtual' | 'admin'
  /** What people call it; may be empty. */
  readonly name: string
  readonly tenant: string
  readonly team: string | undefined
  readonly user: string | undefined
  readonly roles: readonly string[]
  /** Names or patterns with `*`; `['*']` is any, `[]` none. */
  readonly models: readonly string[]
  /** Names of endpoints; `['*']` is any, `[]` none. */
  readonly endpoints: readonly string[]
  /** CIDR blocks that it may come from; `['*']` is any, `[]` none. */
  readonly sources: readonly string[]
  /** Epoch ms; undefined = never. */
  readonly expiresAt: number | undefined
  readonly state: 'active' | 'expired' | 'revoked'
  readonly createdAt: number
  readonly createdBy: string
  readonly updatedAt: number
  readonly revokedAt: number | undefined
  /** When the present secret was made. */
  readonly rotatedAt: number
  /** Until when the secret before it is taken too; undefined where there is none. */
  readonly previousUntil: number | undefined
  /** Epoch ms, some seconds late; undefined = never used. */
  readonly lastUsedAt: number | undefined
  readonly previousLastUsedAt: number | undefined
}

/** A key to be made. What it may do is always said: nothing left out means everything. */
export interface KeyInput {
  readonly class: 'virtual' | 'admin'
  readonly tenant: string
  readonly name?: string | undefined
  readonly team?: string | undefined
  readonly user?: string | undefined
  /** Of an admin key exactly one of `ADMIN_ROLES`; a virtual key must hold none of them. */
  readonly roles?: readonly string[] | undefined
  /** Required of a virtual key: a list, or `any`. */
  readonly models?: readonly string[] | 'any' | undefined
  /** Required of a virtual key: a list, or `any`. */
  readonly endpoints?: readonly string[] | 'any' | undefined
  /** CIDR blocks; default `any`. */
  readonly sources?: readonly string[] | 'any' | undefined
  /** Epoch ms, in the future; default never. */
  readonly expiresAt?: number | undefined
}

/** What of a key may change; null takes away. Class, tenant and the roles of an admin key stay for its life. */
export interface KeyPatch {
  readonly name?: string | undefined
  readonly team?: string | null | undefined
  readonly user?: string | null | undefined
  readonly roles?: readonly string[] | undefined
  readonly models?: readonly string[] | 'any' | undefined
  readonly endpoints?: readonly string[] | 'any' | undefined
  readonly sources?: readonly string[] | 'any' | undefined
  readonly expiresAt?: number | null | undefined
}

/** Who changes a key, and why: for the audit. Neither is empty. */
export interface KeyChange {
  readonly by: string
  readonly reason: string
}

export interface KeyFilter {
  readonly tenant?: string | undefined
  readonly team?: string | undefined
  readonly user?: string | undefined
  readonly class?: 'virtual' | 'admin' | undefined
  readonly state?: KeyRecord['state'] | undefined
  /** Ids behind this one. */
  readonly after?: string | undefined
  /** 1 to 1,000; default 100. */
  readonly limit?: number | undefined
}

/** A key that was just made: the only time that it is shown. */
export interface IssuedKey {
  readonly record: KeyRecord
  readonly key: Secret
}

/**
 * Makes and ends keys. All reject `INVALID_REQUEST` (`details.param`) for what cannot be, `NOT_FOUND` for an id that is none, and
 * `CONFLICT` for a change of a revoked key. A change holds at this node when its promise resolves, and at all others within a second.
 */
export interface Keys {
  create(input: KeyInput, change: KeyChange, options?: CallOptions): Promise<IssuedKey>
  /** In order of their ids. */
  list(filter?: KeyFilter, options?: CallOptions): Promise<readonly KeyRecord[]>
  get(id: string, options?: CallOptions): Promise<KeyRecord>
  update(id: string, patch: KeyPatch, change: KeyChange, options?: CallOptions): Promise<KeyRecord>
  /** A new secret; the present one is taken for `overlapMs` more (0 = not at all), and the one before it no longer. */
  rotate(id: string, overlapMs: number, change: KeyChange, options?: CallOptions): Promise<IssuedKey>
  /** For good. Of one that is revoked nothing changes. */
  revoke(id: string, change: KeyChange, options?: CallOptions): Promise<KeyRecord>
}

export const keys: Port<Keys> = definePort<Keys>('keys', 1)
