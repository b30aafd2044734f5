import type { KeyRecord } from '@switchyard/contract'
import type { Digest } from './peppers.ts'

/** A key as the database has it: the record, and what secrets are checked by. Leaves this plugin only as a record. */
export interface StoredKey {
  readonly record: KeyRecord
  readonly current: Digest
  readonly previous: Digest | undefined
}

/** A row of `switchyard_keys`. */
export interface KeyRow {
  readonly id: string
  readonly class: 'virtual' | 'admin'
  readonly name: string
  readonly tenant: string
  readonly team: string | null
  readonly user_name: string | null
  readonly roles: string
  readonly models: string
  readonly endpoints: string
  readonly sources: string
  readonly expires_at: number | null
  readonly created_at: number
  readonly created_by: string
  readonly updated_at: number
  readonly revoked_at: number | null
  readonly rotated_at: number
  readonly kid: string
  readonly digest: string
  readonly previous_kid: string | null
  readonly previous_digest: string | null
  readonly previous_until: number | null
  readonly last_used_at: number | null
  readonly previous_last_used_at: number | null
}

/** Reads a row; `now` tells which keys have expired. A list that cannot be read allows nothing. */
export function storedKey(row: KeyRow, now: number): StoredKey {
  const expired = row.expires_at !== null && row.expires_at <= now
  const previousUntil = row.previous_until !== null && row.previous_until > now ? row.previous_until : undefined
  const record: KeyRecord = {
    id: row.id,
    class: row.class,
    name: row.name,
    tenant: row.tenant,
    team: row.team ?? undefined,
    user: row.user_name ?? undefined,
    roles: listIn(row.roles),
    models: listIn(row.models),
    endpoints: listIn(row.endpoints),
    sources: listIn(row.sources),
    expiresAt: row.expires_at ?? undefined,
    state: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    revokedAt: row.revoked_at ?? undefined,
    rotatedAt: row.rotated_at,
    previousUntil,
    lastUsedAt: row.last_used_at ?? undefined,
    previousLastUsedAt: row.previous_last_used_at ?? undefined,
  }
  const { previous_kid: kid, previous_digest: digest } = row
  const overlaps = previousUntil !== undefined && kid !== null && digest !== null
  return { record, current: { kid: row.kid, digest: row.digest }, previous: overlaps ? { kid, digest } : undefined }
}

function listIn(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? Object.freeze(value as string[]) : NONE
  } catch {
    return NONE
  }
}

const NONE: readonly string[] = Object.freeze([])
