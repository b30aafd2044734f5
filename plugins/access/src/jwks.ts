import { type Clock, SwitchyardError } from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose'

/** Public keys of an issuer, fetched when they are needed. */
export interface Jwks {
  /** The key for a token. Rejects with an error of jose where there is none, with SwitchyardError where the set cannot be had. */
  key(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>
}

export interface JwksParts {
  readonly url: string
  readonly maxAgeMs: number
  readonly cooldownMs: number
  readonly egress: Pick<Egress, 'request'>
  readonly clock: Pick<Clock, 'monotonic'>
}

const MAX_BYTES = 262_144
const MAX_KEYS = 100
/** Anyone can bring a token that names the issuer: while its set cannot be had, that asks for it no more often. */
const AFTER_FAILURE_MS = 1_000

interface Held {
  readonly find: ReturnType<typeof createLocalJWKSet>
  readonly at: number
}

/**
 * One set at a time, of at most 100 keys in 256 KiB. Fetched anew after half of its time, and for a key that it has not, but for that no
 * more often than the cooldown says.
 */
export function jwks({ url, maxAgeMs, cooldownMs, egress, clock }: JwksParts): Jwks {
  let held: Held | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<Held> | undefined
  let failure: { readonly at: number; readonly error: unknown } | undefined

  async function refresh(): Promise<Held> {
    if (fetching !== undefined) return fetching
    if (failure !== undefined && clock.monotonic() - failure.at < AFTER_FAILURE_MS) throw failure.error
    triedAt = clock.monotonic()
    fetching = load()
    try {
      const found = await fetching
      failure = undefined
      return found
    } catch (error) {
      failure = { at: clock.monotonic(), error }
      throw error
    } finally {
      fetching = undefined
    }
  }

  async function load(): Promise<Held> {
    const at = clock.monotonic()
    const { status, body } = await egress.request(url, { headers: { accept: 'application/json' } })
    if (status !== 200) {
      body.destroy()
      throw new SwitchyardError('UPSTREAM_UNAVAILABLE', `the key set of the issuer answered ${status}`)
    }
    const set = setIn(await body.bytes(MAX_BYTES))
    held = { find: createLocalJWKSet(set), at }
    return held
  }

  return {
    async key(header, token) {
      const now = clock.monotonic()
      let present = held
      if (present === undefined || now - present.at >= maxAgeMs) present = await refresh()
      // Ahead of its time, so that a fetch which fails is felt by nobody yet.
      else if (now - present.at >= maxAgeMs / 2 && now - triedAt >= cooldownMs) refresh().catch(() => {})
      try {
        return await present.find(header, token)
      } catch (error) {
        // A fetch that is on its way may bring it: of several new tokens the first asks, and all get what comes.
        const mayCome = fetching !== undefined || clock.monotonic() - triedAt >= cooldownMs
        if (!(error instanceof errors.JWKSNoMatchingKey) || !mayCome) throw error
        return (await refresh()).find(header, token)
      }
    },
  }
}

function setIn(bytes: Uint8Array): JSONWebKeySet {
  try {
    const set = JSON.parse(Buffer.from(bytes).toString('utf8')) as JSONWebKeySet
    if (Array.isArray(set?.keys) && set.keys.length <= MAX_KEYS) return { keys: set.keys }
  } catch {
    // Told below.
  }
  throw new SwitchyardError(
    'UPSTREAM_INVALID',
    `the key set of the issuer is no JSON with "keys", or has more than ${MAX_KEYS}`,
  )
}
