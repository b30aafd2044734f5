import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SqlDatabase } from '@switchyard/contract'
import type { PepperOptions } from './options.ts'
import { statementsFor } from './statements.ts'

/** A secret's digest, and which pepper made it. */
export interface Digest {
  readonly kid: string
  /** HMAC-SHA-256, 32 bytes in base64. */
  readonly digest: string
}

/** Makes digests and compares them. */
export interface Peppers {
  readonly currentKid: string
  digest(text: string): Digest
  /**
   * Whether a text has this digest; undefined where its pepper is not known here. Takes as long for no digest at all, which nothing
   * matches.
   */
  matches(text: string, stored: Digest | undefined): boolean | undefined
}

const DUMMY = randomBytes(32)
/** Held as a KeyObject, a pepper costs a fifth of what raw bytes cost a call. */
type Ring = ReadonlyMap<string, KeyObject>

/** Peppers that are given, the first being the one that new digests are made with. */
export function peppersOf(ring: Ring, currentKid: string): Peppers {
  const current = ring.get(currentKid) as KeyObject
  const mac = (key: KeyObject, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  return {
    currentKid,
    digest: (text) => ({ kid: currentKid, digest: mac(current, text).toString('base64') }),
    matches(text, stored) {
      const key = stored === undefined ? current : ring.get(stored.kid)
      const made = mac(key ?? current, text)
      const bytes = stored === undefined ? DUMMY : Buffer.from(stored.digest, 'base64')
      // Compared also where nothing can match, so that it takes as long.
      const same = bytes.length === made.length && timingSafeEqual(made, bytes)
      if (key === undefined) return undefined
      return same && stored !== undefined
    },
  }
}

/** The peppers of the options; where there are none, one of the database's own, which is made where it has none yet. */
export async function openPeppers(given: readonly PepperOptions[], sql: SqlDatabase, now: number): Promise<Peppers> {
  const ring = new Map(given.map(({ kid, pepper }) => [kid, createSecretKey(pepper.reveal(), 'utf8')]))
  const stored = await storedPeppers(sql, given.length === 0, now)
  // Keys made before a pepper was configured go on being taken.
  for (const [kid, key] of stored) if (!ring.has(kid)) ring.set(kid, key)
  return peppersOf(ring, given[0]?.kid ?? STORED_KID)
}

const STORED_KID = 'store-1'

async function storedPeppers(sql: SqlDatabase, needed: boolean, now: number): Promise<Ring> {
  const text = statementsFor(sql.capabilities.dialect)
  if (needed) {
    const made = randomBytes(32).toString('base64')
    // Of several nodes that start at once, one makes it.
    await sql.query(
      text('INSERT INTO switchyard_peppers (kid, pepper, created_at) VALUES (?, ?, ?) ON CONFLICT (kid) DO NOTHING'),
      [STORED_KID, made, now],
    )
  }
  const { rows } = await sql.query<{ kid: string; pepper: string }>('SELECT kid, pepper FROM switchyard_peppers')
  return new Map(rows.map(({ kid, pepper }) => [kid, createSecretKey(Buffer.from(pepper, 'base64'))]))
}
