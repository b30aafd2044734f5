import {
  ADMIN_ROLES,
  type KeyChange,
  type KeyFilter,
  type KeyInput,
  type KeyPatch,
  MODEL_ENDPOINTS,
} from '@switchyard/contract'
import { z } from 'zod'
import { invalidField } from './errors.ts'
import type { Columns, NewRow } from './key-store.ts'
import { isBlock } from './sources.ts'

const name = z.string().trim().min(1).max(200)
const roles = z.array(name).max(50)
const anyOr = (entry: z.ZodType<string>): z.ZodType<readonly string[]> =>
  z
    .union([z.literal('any'), z.array(entry).max(1000)], 'must be a list, or "any"')
    .transform((given): readonly string[] => (given === 'any' ? ['*'] : [...new Set(given)]))
const models = anyOr(name)
const endpoints = anyOr(z.enum(MODEL_ENDPOINTS))
const sources = anyOr(z.string().refine(isBlock, 'must be an address or a CIDR block'))
const time = z.int().min(0).max(8.64e15)
const kind = z.enum(['virtual', 'admin'])
const id = z.string().min(1).max(100)

// Strict: a field that is not for the caller to set is refused, never passed over.
const newKey = z.strictObject({
  class: kind,
  tenant: name,
  name: z.string().max(200).default(''),
  team: name.optional(),
  user: name.optional(),
  roles: roles.default([]),
  models: models.optional(),
  endpoints: endpoints.optional(),
  sources: sources.default(['*']),
  expiresAt: time.optional(),
})
const patch = z.strictObject({
  name: z.string().max(200).optional(),
  team: name.nullable().optional(),
  user: name.nullable().optional(),
  roles: roles.optional(),
  models: models.optional(),
  endpoints: endpoints.optional(),
  sources: sources.optional(),
  expiresAt: time.nullable().optional(),
})
const change = z.strictObject({ by: name, reason: z.string().trim().min(1).max(1000) })
const filter = z.strictObject({
  tenant: name.optional(),
  team: name.optional(),
  user: name.optional(),
  class: kind.optional(),
  state: z.enum(['active', 'expired', 'revoked']).optional(),
  after: id.optional(),
  limit: z.int().min(1).max(1000).optional(),
})

/** Columns of a key to be made. Throws `INVALID_REQUEST`, here and below, naming the field. */
export function newColumns(input: KeyInput, now: number): Omit<NewRow, 'id' | 'kid' | 'digest' | 'created_by'> {
  const key = parsed(newKey, input)
  const admin = key.class === 'admin'
  if (admin) {
    if (key.models !== undefined) throw invalidField('models', 'an admin key never calls a model: leave it out')
    if (key.endpoints !== undefined) throw invalidField('endpoints', 'an admin key never calls a model: leave it out')
    if (key.roles.length !== 1 || !isAdminRole(key.roles[0]))
      throw invalidField('roles', `an admin key has exactly one of ${ADMIN_ROLES.join(', ')}`)
  } else {
    if (key.models === undefined) throw invalidField('models', 'say which models the key may call: a list, or "any"')
    if (key.endpoints === undefined) throw invalidField('endpoints', 'say which endpoints the key may call: a list, or "any"')
    freeRoles(key.roles)
  }
  if (key.expiresAt !== undefined && key.expiresAt <= now) throw invalidField('expiresAt', 'it lies in the past (epoch ms)')
  return {
    class: key.class,
    name: key.name,
    tenant: key.tenant,
    team: key.team ?? null,
    user_name: key.user ?? null,
    roles: JSON.stringify(key.roles),
    models: JSON.stringify(key.models ?? []),
    endpoints: JSON.stringify(key.endpoints ?? []),
    sources: JSON.stringify(key.sources),
    expires_at: key.expiresAt ?? null,
  }
}

/** Columns that a patch changes, for a key of that class. */
export function changedColumns(input: KeyPatch, of: 'virtual' | 'admin', now: number): Columns {
  const given = parsed(patch, input)
  if (Object.values(given).every((value) => value === undefined)) throw invalidField('patch', 'it changes nothing')
  if (of === 'admin')
    for (const fixed of ['roles', 'models', 'endpoints'] as const)
      if (given[fixed] !== undefined) throw invalidField(fixed, 'it stays for the life of an admin key: create another')
  freeRoles(given.roles ?? [])
  if (typeof given.expiresAt === 'number' && given.expiresAt <= now)
    throw invalidField('expiresAt', 'it lies in the past (epoch ms): revoke the key instead')
  return {
    ...(given.name !== undefined && { name: given.name }),
    ...(given.team !== undefined && { team: given.team }),
    ...(given.user !== undefined && { user_name: given.user }),
    ...(given.roles !== undefined && { roles: JSON.stringify(given.roles) }),
    ...(given.models !== undefined && { models: JSON.stringify(given.models) }),
    ...(given.endpoints !== undefined && { endpoints: JSON.stringify(given.endpoints) }),
    ...(given.sources !== undefined && { sources: JSON.stringify(given.sources) }),
    ...(given.expiresAt !== undefined && { expires_at: given.expiresAt }),
  }
}

/** Who and why, as given. */
export function checkedChange(input: KeyChange): KeyChange {
  return parsed(change, input)
}

/** A filter, as given. */
export function checkedFilter(input: KeyFilter): KeyFilter {
  return parsed(filter, input)
}

function isAdminRole(role: string | undefined): boolean {
  return ADMIN_ROLES.some((one) => one === role)
}

function freeRoles(given: readonly string[]): void {
  const reserved = given.find(isAdminRole)
  if (reserved !== undefined) throw invalidField('roles', `${reserved} is for admin keys only`)
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') throw invalidField(String(issue.keys[0]).slice(0, 100), 'there is no such field')
  throw invalidField(String(issue?.path[0] ?? 'key'), issue?.message ?? 'it cannot be')
}
