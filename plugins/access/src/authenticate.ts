import { hash } from 'node:crypto'
import {
  type AuthenticateOptions,
  type Clock,
  type CredentialHeaders,
  type Identity,
  type IdentityClass,
  type Principal,
  SwitchyardError,
} from '@switchyard/contract'
import { missingCredential, tooManyFailures, unauthenticated } from './errors.ts'
import type { LoginFailed, LoginFailure } from './events.ts'
import type { Guesses } from './guesses.ts'
import { KEY_PREFIX } from './key-text.ts'
import type { Known, KnownCredentials } from './known-credentials.ts'
import type { Sources } from './sources.ts'
import { looksLikeToken } from './token-text.ts'

/** What a check of a credential proved. */
export interface Proof {
  readonly principal: Principal
  readonly class: IdentityClass
  readonly id: string | undefined
  readonly digest: string | undefined
  readonly sources: Sources
  readonly endsAt: number
}

/** One kind of credential: how it is checked, and for how long a check holds. */
export interface Kind {
  readonly ttlMs: number
  /** The id that a text claims; nothing proves it. */
  claimed(text: string): string | undefined
  /** Rejects where it could not be checked. */
  check(text: string): Promise<Proof | LoginFailure>
}

export interface AuthenticateParts {
  /** Undefined where no keys are kept. */
  readonly keys: Kind | undefined
  /** Undefined where no issuer is configured. */
  readonly tokens: Kind | undefined
  readonly known: KnownCredentials
  readonly guesses: Guesses
  readonly outageGraceMs: number
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  noteUse(id: string, digest: string, at: number): void
  failed(failure: LoginFailed): void
}

/** Headers that may hold a credential of ours, in the order in which they are asked. */
export const CARRIERS = ['authorization', 'x-portkey-api-key', 'api-key', 'x-api-key'] as const

/** Uses are noted no more often than this. */
const NOTE_EVERY_MS = 1_000
const MAX_REPEATS = 3
const COUNTED: ReadonlySet<LoginFailure> = new Set(['unreadable', 'unknown', 'wrong-secret', 'bad-token'])

/** Makes the `authenticate` of the port `access`. What was checked a moment ago is answered without a promise. */
export function authenticator(
  parts: AuthenticateParts,
): (headers: CredentialHeaders, options?: AuthenticateOptions) => Identity | Promise<Identity> {
  const { keys, tokens, known, guesses, outageGraceMs, clock } = parts
  const pending = new Map<string, Promise<Known | LoginFailure>>()

  function refuse(
    why: LoginFailure,
    claimed: string | undefined,
    source: string | undefined,
    cause?: unknown,
  ): SwitchyardError {
    if (COUNTED.has(why)) guesses.failed(source, claimed)
    parts.failed({ why, claimed, source, at: clock.now() })
    return why === 'missing' ? missingCredential() : unauthenticated(cause)
  }

  /** Throws where the credential has ended, or may not come from there. */
  function admit(entry: Known, carrier: string, source: string | undefined): Identity {
    const now = clock.now()
    if (entry.endsAt <= now) throw refuse('expired', entry.id, source)
    if (!entry.sources(source)) throw refuse('wrong-source', entry.id, source)
    if (entry.id !== undefined && entry.digest !== undefined && now - entry.notedAt >= NOTE_EVERY_MS) {
      entry.notedAt = now
      parts.noteUse(entry.id, entry.digest, now)
    }
    const identity = entry.identities.get(carrier)
    if (identity !== undefined) return identity
    const [first] = entry.identities.values()
    const made: Identity = Object.freeze({ ...(first as Identity), carrier })
    entry.identities.set(carrier, made)
    return made
  }

  /** One check at a time of one credential; what it finds is kept. */
  function look(kind: Kind, text: string, digest: string, carrier: string): Promise<Known | LoginFailure> {
    let looking = pending.get(digest)
    if (looking === undefined) {
      looking = checked(kind, text, digest, carrier).finally(() => pending.delete(digest))
      pending.set(digest, looking)
    }
    return looking
  }

  async function checked(kind: Kind, text: string, digest: string, carrier: string): Promise<Known | LoginFailure> {
    for (let repeat = 0; ; repeat++) {
      const { epoch } = known
      const checkedAt = clock.monotonic()
      const proof = await kind.check(text)
      const stale = known.epoch !== epoch
      // Something was revoked while this was read: what was read may be from before.
      if (stale && repeat < MAX_REPEATS) continue
      if (typeof proof === 'string') {
        known.delete(digest)
        return proof
      }
      const { principal, class: of, ...rest } = proof
      const identity: Identity = Object.freeze({ principal, carrier, class: of })
      const notedAt = Number.NEGATIVE_INFINITY
      const entry: Known = { ...rest, identities: new Map([[carrier, identity]]), checkedAt, notedAt, renewing: false }
      if (!stale) known.set(digest, entry)
      return entry
    }
  }

  function renew(kind: Kind, entry: Known, text: string, digest: string, carrier: string): void {
    entry.renewing = true
    look(kind, text, digest, carrier).catch(() => {
      entry.renewing = false
    })
  }

  function by(
    kind: Kind,
    text: string,
    carrier: string,
    options: AuthenticateOptions | undefined,
  ): Identity | Promise<Identity> {
    const digest = hash('sha256', text, 'base64')
    const entry = known.get(digest)
    if (entry !== undefined) {
      const age = clock.monotonic() - entry.checkedAt
      if (age < kind.ttlMs) {
        // Renewed ahead of its time, so that a busy key never waits for the database.
        if (age > kind.ttlMs / 2 && !entry.renewing) renew(kind, entry, text, digest, carrier)
        return admit(entry, carrier, options?.source)
      }
    }
    return unknown(kind, text, digest, carrier, entry, options)
  }

  async function unknown(
    kind: Kind,
    text: string,
    digest: string,
    carrier: string,
    before: Known | undefined,
    options: AuthenticateOptions | undefined,
  ): Promise<Identity> {
    const source = options?.source
    const claimed = kind.claimed(text)
    if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'the caller left before its key was checked')
    // What was right a while ago is no guess: whoever guesses beside it must not shut it out.
    const waitMs = before === undefined && !known.wasRight(digest) ? guesses.waitMs(source, claimed) : 0
    if (waitMs > 0) {
      parts.failed({ why: 'limited', claimed, source, at: clock.now() })
      throw tooManyFailures(waitMs)
    }
    let found: Known | LoginFailure
    try {
      found = await look(kind, text, digest, carrier)
    } catch (cause) {
      const age = before === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - before.checkedAt
      if (before === undefined || known.get(digest) !== before || age >= kind.ttlMs + outageGraceMs)
        throw refuse('fault', claimed, source, cause)
      found = before
    }
    if (typeof found === 'string') throw refuse(found, claimed, source)
    return admit(found, carrier, source)
  }

  return (headers, options) => {
    let present = false
    for (const carrier of CARRIERS) {
      const text = credentialIn(headers[carrier])
      if (text === undefined) continue
      present = true
      if (keys !== undefined && text.startsWith(KEY_PREFIX)) return by(keys, text, carrier, options)
    }
    const token = credentialIn(headers.authorization)
    if (tokens !== undefined && token !== undefined && looksLikeToken(token)) return by(tokens, token, 'authorization', options)
    throw refuse(present ? 'unreadable' : 'missing', undefined, options?.source)
  }
}

function credentialIn(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  return value.startsWith('Bearer ') ? value.slice(7) : value
}
