import {
  type CallOptions,
  type Clock,
  type IssuedKey,
  type KeyChange,
  type KeyRecord,
  type Keys,
  secret,
} from '@switchyard/contract'
import { invalidField, keyRevoked, noSuchKey } from './errors.ts'
import type { KeyEvent } from './events.ts'
import { changedColumns, checkedChange, checkedFilter, newColumns } from './key-input.ts'
import type { StoredKey } from './key-row.ts'
import type { KeyStore } from './key-store.ts'
import { newKeyId, newKeyText } from './key-text.ts'
import type { Peppers } from './peppers.ts'

/** What was done to a key. */
export type KeyHappening =
  | { readonly event: 'key:created' | 'key:revoked'; readonly payload: KeyEvent }
  | { readonly event: 'key:updated'; readonly payload: KeyEvent & { readonly changed: readonly string[] } }
  | { readonly event: 'key:rotated'; readonly payload: KeyEvent & { readonly previousUntil: number | undefined } }

export interface KeysParts {
  readonly store: KeyStore
  readonly peppers: Peppers
  readonly clock: Pick<Clock, 'now'>
  /** A change is in the database: caches must forget the key, here before this returns. */
  changed(id: string): void
  /** Writes uses that are gathered, so that they are told of the right secret. */
  flushUses(): Promise<void>
  happened(happening: KeyHappening): void
}

/** Longest time in which two secrets of one key are taken. */
const MAX_OVERLAP_MS = 30 * 86_400_000

/** @see Keys */
export function keysPort({ store, peppers, clock, changed, flushUses, happened }: KeysParts): Keys {
  async function found(id: string, options?: CallOptions): Promise<StoredKey> {
    const stored = await store.find(id, options)
    if (stored === undefined) throw noSuchKey(id)
    return stored
  }

  function eventOf({ id, class: of, tenant }: KeyRecord, { by, reason }: KeyChange): KeyEvent {
    return { id, class: of, tenant, by, reason, at: clock.now() }
  }

  return {
    async create(input, change, options): Promise<IssuedKey> {
      const who = checkedChange(change)
      const columns = newColumns(input, clock.now())
      const id = newKeyId()
      const text = newKeyText(input.class, id)
      await store.insert({ ...columns, id, created_by: who.by, ...peppers.digest(text) }, options)
      changed(id)
      const { record } = await found(id)
      happened({ event: 'key:created', payload: eventOf(record, who) })
      return { record, key: secret(text) }
    },

    async list(filter = {}, options) {
      return (await store.list(checkedFilter(filter), options)).map(({ record }) => record)
    },

    async get(id, options) {
      return (await found(id, options)).record
    },

    async update(id, patch, change, options) {
      const who = checkedChange(change)
      const { record } = await found(id, options)
      const columns = changedColumns(patch, record.class, clock.now())
      if (!(await store.update(id, columns, options))) throw keyRevoked(id)
      changed(id)
      happened({ event: 'key:updated', payload: { ...eventOf(record, who), changed: Object.keys(patch) } })
      return (await found(id)).record
    },

    async rotate(id, overlapMs, change, options): Promise<IssuedKey> {
      const who = checkedChange(change)
      if (!Number.isInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS)
        throw invalidField('overlapMs', `it is a whole number of milliseconds from 0 to ${MAX_OVERLAP_MS}`)
      const { record } = await found(id, options)
      const text = newKeyText(record.class, id)
      await flushUses()
      const previousUntil = overlapMs === 0 ? undefined : clock.now() + overlapMs
      if (!(await store.rotate(id, peppers.digest(text), previousUntil, options))) throw keyRevoked(id)
      changed(id)
      happened({ event: 'key:rotated', payload: { ...eventOf(record, who), previousUntil } })
      return { record: (await found(id)).record, key: secret(text) }
    },

    async revoke(id, change, options) {
      const who = checkedChange(change)
      const { record } = await found(id, options)
      const done = await store.revoke(id, options)
      changed(id)
      if (done) happened({ event: 'key:revoked', payload: eventOf(record, who) })
      return (await found(id)).record
    },
  }
}
