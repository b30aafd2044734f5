import type { Identity } from '@switchyard/contract'
import type { Sources } from './sources.ts'

/** A credential that was checked: what it proved, and how long that may be taken. */
export interface Known {
  /** By the header that brought it, so that no call makes an object. */
  readonly identities: Map<string, Identity>
  /** Key that it belongs to; undefined for a token. */
  readonly id: string | undefined
  /** Digest by which the database has the secret: its use is noted by that. */
  readonly digest: string | undefined
  readonly sources: Sources
  /** Epoch ms from which it is no longer taken, whatever else; `Infinity` = none. */
  readonly endsAt: number
  /** Monotonic ms at which checking began. */
  readonly checkedAt: number
  /** Epoch ms of the last use that is noted. */
  notedAt: number
  /** A check has been begun that will replace this. */
  renewing: boolean
}

/** Checked credentials by the SHA-256 of their whole text. */
export interface KnownCredentials {
  get(hash: string): Known | undefined
  set(hash: string, known: Known): void
  delete(hash: string): void
  /** Forgets all of one key. */
  forget(id: string): void
  /** Whether this was right when it was last checked, though it is forgotten: whoever brings it does not guess. */
  wasRight(hash: string): boolean
  /** Counts what was forgotten: a check that began before may have seen what is no longer so. */
  readonly epoch: number
  readonly size: number
}

/** Holds `maxSize` at most, and remembers as many that it held; beyond it the oldest goes. */
export function knownCredentials(maxSize: number): KnownCredentials {
  const all = new Map<string, Known>()
  const byKey = new Map<string, Set<string>>()
  const before = new Set<string>()
  let epoch = 0

  function dropRight(hash: string): void {
    drop(hash)
    before.add(hash)
    if (before.size > maxSize) for (const oldest of before) return void before.delete(oldest)
  }

  function drop(hash: string): void {
    const known = all.get(hash)
    if (known === undefined) return
    all.delete(hash)
    if (known.id === undefined) return
    const hashes = byKey.get(known.id)
    hashes?.delete(hash)
    if (hashes?.size === 0) byKey.delete(known.id)
  }

  return {
    get: (hash) => all.get(hash),
    set(hash, known) {
      drop(hash)
      before.delete(hash)
      all.set(hash, known)
      if (known.id !== undefined) {
        const hashes = byKey.get(known.id)
        if (hashes === undefined) byKey.set(known.id, new Set([hash]))
        else hashes.add(hash)
      }
      if (all.size > maxSize) for (const oldest of all.keys()) return dropRight(oldest)
    },
    delete(hash) {
      drop(hash)
      before.delete(hash)
    },
    forget(id) {
      epoch += 1
      for (const hash of [...(byKey.get(id) ?? [])]) dropRight(hash)
    },
    wasRight: (hash) => before.has(hash),
    get epoch() {
      return epoch
    },
    get size() {
      return all.size
    },
  }
}
