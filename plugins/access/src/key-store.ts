import type { CallOptions, KeyFilter, SqlDatabase } from '@switchyard/contract'
import { type KeyRow, type StoredKey, storedKey } from './key-row.ts'
import type { Digest } from './peppers.ts'
import { statementsFor } from './statements.ts'

/** What of a row may be changed after it was made. */
export type Columns = Partial<
  Pick<KeyRow, 'name' | 'team' | 'user_name' | 'roles' | 'models' | 'endpoints' | 'sources' | 'expires_at'>
>

/** One use of one secret of a key. */
export interface Use {
  readonly id: string
  /** Of the secret that was used: it may have become the previous one meanwhile. */
  readonly digest: string
  /** Epoch ms. */
  readonly at: number
}

/** Keys in the database. Values go as parameters only. */
export interface KeyStore {
  /** Whether any key was ever made. */
  any(): Promise<boolean>
  find(id: string, options?: CallOptions): Promise<StoredKey | undefined>
  list(filter: KeyFilter, options?: CallOptions): Promise<readonly StoredKey[]>
  insert(row: NewRow, options?: CallOptions): Promise<void>
  /** False where there is no such key, or it is revoked; so below. */
  update(id: string, columns: Columns, options?: CallOptions): Promise<boolean>
  rotate(id: string, made: Digest, previousUntil: number | undefined, options?: CallOptions): Promise<boolean>
  revoke(id: string, options?: CallOptions): Promise<boolean>
  /** Puts a digest by the present pepper in the place of one by another, unless that has changed meanwhile. */
  rehash(id: string, from: Digest, to: Digest): Promise<void>
  /** In one transaction; a later use that is stored already stays. */
  noteUses(uses: readonly Use[]): Promise<void>
}

export type NewRow = Pick<
  KeyRow,
  'id' | 'class' | 'name' | 'tenant' | 'team' | 'user_name' | 'roles' | 'models' | 'endpoints' | 'sources' | 'expires_at'
> & { readonly created_by: string } & Digest

const DEFAULT_LIMIT = 100
const LATEST = `UPDATE switchyard_keys SET
  last_used_at = CASE WHEN digest = ? AND COALESCE(last_used_at, 0) < ? THEN ? ELSE last_used_at END,
  previous_last_used_at =
    CASE WHEN previous_digest = ? AND COALESCE(previous_last_used_at, 0) < ? THEN ? ELSE previous_last_used_at END
  WHERE id = ?`

/** @see KeyStore */
export function keyStore(sql: SqlDatabase, now: () => number): KeyStore {
  const text = statementsFor(sql.capabilities.dialect)

  async function changed(statement: string, params: readonly unknown[], options?: CallOptions): Promise<boolean> {
    return (await sql.query(text(statement), params, options)).rowCount > 0
  }

  return {
    async any() {
      return (await sql.query('SELECT id FROM switchyard_keys LIMIT 1')).rows.length > 0
    },

    async find(id, options) {
      const { rows } = await sql.query<KeyRow>(text('SELECT * FROM switchyard_keys WHERE id = ?'), [id], options)
      return rows[0] === undefined ? undefined : storedKey(rows[0], now())
    },

    async list(filter, options) {
      const at = now()
      const where: string[] = []
      const params: unknown[] = []
      const only = (condition: string, value: unknown): void => {
        if (value === undefined) return
        where.push(condition)
        params.push(value)
      }
      only('id > ?', filter.after)
      only('tenant = ?', filter.tenant)
      only('team = ?', filter.team)
      only('user_name = ?', filter.user)
      only('class = ?', filter.class)
      if (filter.state === 'revoked') where.push('revoked_at IS NOT NULL')
      if (filter.state === 'expired') only('revoked_at IS NULL AND expires_at <= ?', at)
      if (filter.state === 'active') only('revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)', at)
      params.push(filter.limit ?? DEFAULT_LIMIT)
      const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
      const statement = text(`SELECT * FROM switchyard_keys${condition} ORDER BY id LIMIT ?`)
      const { rows } = await sql.query<KeyRow>(statement, params, options)
      return rows.map((row) => storedKey(row, at))
    },

    async insert(row, options) {
      const at = now()
      const full = { ...row, created_at: at, updated_at: at, rotated_at: at }
      const names = Object.keys(full)
      const marks = names.map(() => '?').join(', ')
      const statement = `INSERT INTO switchyard_keys (${names.join(', ')}) VALUES (${marks})`
      await sql.query(text(statement), Object.values(full), options)
    },

    update(id, columns, options) {
      const set = { ...columns, updated_at: now() }
      const names = Object.keys(set).map((name) => `${name} = ?`)
      const statement = `UPDATE switchyard_keys SET ${names.join(', ')} WHERE id = ? AND revoked_at IS NULL`
      return changed(statement, [...Object.values(set), id], options)
    },

    rotate(id, made, previousUntil, options) {
      const at = now()
      const before =
        previousUntil === undefined
          ? 'previous_kid = NULL, previous_digest = NULL, previous_last_used_at = NULL'
          : 'previous_kid = kid, previous_digest = digest, previous_last_used_at = last_used_at'
      return changed(
        `UPDATE switchyard_keys SET ${before}, previous_until = ?, kid = ?, digest = ?, last_used_at = NULL, rotated_at = ?,
         updated_at = ? WHERE id = ? AND revoked_at IS NULL`,
        [previousUntil ?? null, made.kid, made.digest, at, at, id],
        options,
      )
    },

    revoke(id, options) {
      const at = now()
      return changed(
        'UPDATE switchyard_keys SET revoked_at = ?, updated_at = ? WHERE id = ? AND revoked_at IS NULL',
        [at, at, id],
        options,
      )
    },

    async rehash(id, from, to) {
      for (const [kid, digest] of [
        ['kid', 'digest'],
        ['previous_kid', 'previous_digest'],
      ])
        await changed(`UPDATE switchyard_keys SET ${kid} = ?, ${digest} = ? WHERE id = ? AND ${kid} = ? AND ${digest} = ?`, [
          to.kid,
          to.digest,
          id,
          from.kid,
          from.digest,
        ])
    },

    async noteUses(uses) {
      await sql.transaction(async (session) => {
        for (const { id, digest, at } of uses) await session.query(text(LATEST), [digest, at, at, digest, at, at, id])
      })
    },
  }
}
