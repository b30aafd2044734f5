import {
  type KeyChange,
  type KeyInput,
  type KeyPatch,
  type KeyRecord,
  type Keys,
  keys,
  SwitchyardError,
} from '@switchyard/contract'
import type { ServerParts } from '../server/http-server.ts'
import { requireRole } from './admin-role.ts'
import type { AdminHandler, AdminRequest } from './admin-route.ts'
import { jsonBody } from './json-body.ts'
import { onlyKnown } from './query.ts'

const PATH = /^\/admin\/keys(?:\/([0-9A-Za-z]{1,100})(?:\/(rotate|revoke))?)?$/
const FILTERS = ['tenant', 'team', 'user', 'class', 'state', 'limit', 'cursor'] as const
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 999

/** The handler of a path at or below `/admin/keys`; undefined where there is none. */
export function keysHandler(method: string | undefined, path: string): AdminHandler | undefined {
  const match = PATH.exec(path)
  if (match === null) return undefined
  const [, id, verb] = match
  if (id === undefined) return method === 'GET' ? listKeys : method === 'POST' ? createKey : undefined
  if (verb === undefined) {
    if (method === 'GET') return (request) => showKey(request, id)
    return method === 'PATCH' ? (request) => updateKey(request, id) : undefined
  }
  if (method !== 'POST') return undefined
  return verb === 'rotate' ? (request) => rotateKey(request, id) : (request) => revokeKey(request, id)
}

/** `GET /admin/keys`: records by pages, in order of id. */
async function listKeys({ exchange, parts, query }: AdminRequest): Promise<void> {
  const { limit: text, cursor, ...filter } = onlyKnown(query, FILTERS)
  const limit = text === undefined ? DEFAULT_LIMIT : limitIn(text)
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString()
  if (after === '') throw invalid('cursor', 'it is none that this list gave')
  const found = await keysOf(parts).list({ ...(filter as object), ...(after !== undefined && { after }), limit: limit + 1 })
  const data = found.slice(0, limit)
  const last = found.length > limit ? data.at(-1) : undefined
  const nextCursor = last === undefined ? null : Buffer.from(last.id).toString('base64url')
  exchange.json(200, { object: 'list', data: data.map(shown), nextCursor })
}

/** `GET /admin/keys/ID`. */
async function showKey({ exchange, parts, query }: AdminRequest, id: string): Promise<void> {
  onlyKnown(query, [])
  exchange.json(200, shown(await keysOf(parts).get(id)))
}

/** `POST /admin/keys`: makes a key; the reply is the only one that shows it. */
async function createKey(request: AdminRequest): Promise<void> {
  const { exchange, parts, role } = request
  const { change, rest } = await orderIn(request)
  const input = { class: 'virtual', ...rest } as KeyInput
  if (input.class === 'admin') requireRole(role, 'admin')
  if (request.class === 'local' && (input.class !== 'admin' || input.roles?.[0] !== 'admin'))
    throw new SwitchyardError(
      'CONFLICT',
      'with the first key this API asks for one: create first {"class": "admin", "roles": ["admin"], …}, and with it the others',
      { retryable: false },
    )
  const { record, key } = await keysOf(parts).create(input, change)
  note(request, record, 'key created')
  exchange.json(201, { ...shown(record), key: key.reveal() })
}

/** `PATCH /admin/keys/ID`. */
async function updateKey(request: AdminRequest, id: string): Promise<void> {
  const { change, rest } = await orderIn(request)
  await mayChange(request, id)
  const record = await keysOf(request.parts).update(id, rest as KeyPatch, change)
  note(request, record, 'key updated')
  request.exchange.json(200, shown(record))
}

/** `POST /admin/keys/ID/rotate` with `overlapMs`: a new secret, shown this once. */
async function rotateKey(request: AdminRequest, id: string): Promise<void> {
  const { change, rest } = await orderIn(request)
  const { overlapMs = 0, ...more } = rest
  onlyFields(more)
  await mayChange(request, id)
  const { record, key } = await keysOf(request.parts).rotate(id, overlapMs as number, change)
  note(request, record, 'key rotated')
  request.exchange.json(200, { ...shown(record), key: key.reveal() })
}

/** `POST /admin/keys/ID/revoke`: for good. */
async function revokeKey(request: AdminRequest, id: string): Promise<void> {
  const { change, rest } = await orderIn(request)
  onlyFields(rest)
  await mayChange(request, id)
  const record = await keysOf(request.parts).revoke(id, change)
  note(request, record, 'key revoked')
  request.exchange.json(200, shown(record))
}

function keysOf({ kernel }: ServerParts): Keys {
  const [source] = kernel.all(keys).values()
  if (source !== undefined) return source
  throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly provides the port keys; add @switchyard/access')
}

/** An admin key is changed by an admin only, so that nobody raises himself. */
async function mayChange({ parts, role }: AdminRequest, id: string): Promise<void> {
  const { class: of } = await keysOf(parts).get(id)
  if (of === 'admin') requireRole(role, 'admin')
}

async function orderIn(
  request: AdminRequest,
): Promise<{ readonly change: KeyChange; readonly rest: Readonly<Record<string, unknown>> }> {
  onlyKnown(request.query, [])
  const { reason, by, ...rest } = await jsonBody(request.exchange.request)
  if (by !== undefined && typeof by !== 'string') throw invalid('by', 'it is a text')
  // Whoever it says it is for, the key stands beside.
  const who = by === undefined ? request.keyId.slice(0, 200) : `${by.slice(0, 100)} (${request.keyId.slice(0, 90)})`
  return { change: { by: who, reason: reason as string }, rest }
}

function onlyFields(rest: Readonly<Record<string, unknown>>): void {
  const [other] = Object.keys(rest)
  if (other !== undefined) throw invalid(other.slice(0, 100), 'there is no such field')
}

function note({ exchange, parts, keyId }: AdminRequest, { id, tenant }: KeyRecord, what: string): void {
  parts.log.info({ requestId: exchange.id, key: keyId, changed: id, of: tenant }, what)
}

/** A record field by field, so that nothing leaves which is none; what is not set is null. */
function shown(record: KeyRecord): Readonly<Record<string, unknown>> {
  return {
    object: 'key',
    id: record.id,
    class: record.class,
    name: record.name,
    tenant: record.tenant,
    team: record.team ?? null,
    user: record.user ?? null,
    roles: record.roles,
    models: record.models,
    endpoints: record.endpoints,
    sources: record.sources,
    state: record.state,
    expiresAt: record.expiresAt ?? null,
    createdAt: record.createdAt,
    createdBy: record.createdBy,
    updatedAt: record.updatedAt,
    revokedAt: record.revokedAt ?? null,
    rotatedAt: record.rotatedAt,
    previousUntil: record.previousUntil ?? null,
    lastUsedAt: record.lastUsedAt ?? null,
    previousLastUsedAt: record.previousLastUsedAt ?? null,
  }
}

function limitIn(text: string): number {
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw invalid('limit', `it is a whole number from 1 to ${MAX_LIMIT}`)
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}
