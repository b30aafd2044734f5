import type { LoginFailure } from './events.ts'
import type { StoredKey } from './key-row.ts'
import type { KeyStore } from './key-store.ts'
import { readKeyText } from './key-text.ts'
import type { Digest, Peppers } from './peppers.ts'

/** What a text proved, or why nothing. */
export type Checked =
  | { readonly stored: StoredKey; readonly used: Digest; readonly endsAt: number }
  | { readonly refused: LoginFailure }

export interface KeyCheckParts {
  readonly store: KeyStore
  readonly peppers: Peppers
  readonly now: () => number
  /** A key's digest is of a pepper that is not known here. */
  unknownPepper(id: string, kid: string): void
  /** A digest could be put under the present pepper. */
  rehash(id: string, from: Digest, to: Digest): void
}

/**
 * Checks a key's text against the database. An unknown id costs what a known one does. Rejects with what the database rejects with.
 */
export function keyCheck({ store, peppers, now, unknownPepper, rehash }: KeyCheckParts): (text: string) => Promise<Checked> {
  return async (text) => {
    const read = readKeyText(text)
    if (read === undefined) return { refused: 'unreadable' }
    const found = await store.find(read.id)
    // Never both for nothing: the same two comparisons are made whatever was found.
    const byCurrent = peppers.matches(text, found?.current)
    const byPrevious = peppers.matches(text, found?.previous)
    if (found === undefined) return { refused: 'unknown' }
    const { record, current, previous } = found
    if (byCurrent === undefined) unknownPepper(record.id, current.kid)
    const used = byCurrent === true ? current : byPrevious === true ? previous : undefined
    if (used === undefined || record.class !== read.class) return { refused: 'wrong-secret' }
    if (record.state === 'revoked') return { refused: 'revoked' }
    const until = used === current ? Number.POSITIVE_INFINITY : (record.previousUntil ?? 0)
    const endsAt = Math.min(record.expiresAt ?? Number.POSITIVE_INFINITY, until)
    if (endsAt <= now()) return { refused: 'expired' }
    if (used.kid !== peppers.currentKid) rehash(record.id, used, peppers.digest(text))
    return { stored: found, used, endsAt }
  }
}
