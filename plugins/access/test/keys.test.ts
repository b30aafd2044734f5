import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FileSql, fileSql } from './support/file-sql.ts'
import { ADMIN, CHANGE, made, type Node, startNode, VIRTUAL } from './support/node.ts'

let sql: FileSql
let node: Node

beforeEach(async () => {
  sql = fileSql()
  node = await startNode({ sql })
})
afterEach(() => node.plugin.close())

const refused = (code: string, message: RegExp, param?: string) =>
  expect.objectContaining({ code, message: expect.stringMatching(message), ...(param && { details: { param } }) })

describe('what is refused', () => {
  test.each([
    ['an unknown field', { ...VIRTUAL, id: 'mine' }, 'id'],
    ['a field of the record', { ...VIRTUAL, createdBy: 'root' }, 'createdBy'],
    ['a digest', { ...VIRTUAL, digest: 'x' }, 'digest'],
    ['no tenant', { ...VIRTUAL, tenant: ' ' }, 'tenant'],
    ['no class', { ...VIRTUAL, class: 'root' }, 'class'],
    ['no models', { class: 'virtual', tenant: 'a', endpoints: 'any' }, 'models'],
    ['no endpoints', { class: 'virtual', tenant: 'a', models: 'any' }, 'endpoints'],
    ['an endpoint that is none', { ...VIRTUAL, endpoints: ['chat'] }, 'endpoints'],
    ['a source that is none', { ...VIRTUAL, sources: ['10.0.0.0/33'] }, 'sources'],
    ['an end in the past', { ...VIRTUAL, expiresAt: 1 }, 'expiresAt'],
    ['an admin role on a virtual key', { ...VIRTUAL, roles: ['admin'] }, 'roles'],
    ['a viewer role on a virtual key', { ...VIRTUAL, roles: ['viewer'] }, 'roles'],
    ['models on an admin key', { ...ADMIN, models: 'any' }, 'models'],
    ['endpoints on an admin key', { ...ADMIN, endpoints: 'any' }, 'endpoints'],
    ['an admin key without a role', { class: 'admin', tenant: 'ops' }, 'roles'],
    ['an admin key with two roles', { ...ADMIN, roles: ['admin', 'viewer'] }, 'roles'],
    ['an admin key with another role', { ...ADMIN, roles: ['root'] }, 'roles'],
  ])('%s', async (_, input, param) => {
    await expect(node.keys.create(input as never, CHANGE)).rejects.toEqual(refused('INVALID_REQUEST', /./, param))
    expect(node.access.configured()).toBe(false)
  })

  test.each([
    ['no reason', { by: 'ada', reason: ' ' }, 'reason'],
    ['nobody', { by: '', reason: 'x' }, 'by'],
  ])('a change by %s', async (_, change, param) => {
    await expect(node.keys.create(VIRTUAL, change)).rejects.toEqual(refused('INVALID_REQUEST', /./, param))
  })

  test('changes of what is not there, is fixed, or has ended', async () => {
    const { id } = await made(node)
    const admin = await made(node, ADMIN)
    for (const change of [
      node.keys.get('nope'),
      node.keys.update('nope', { name: 'x' }, CHANGE),
      node.keys.rotate('nope', 0, CHANGE),
      node.keys.revoke('nope', CHANGE),
    ])
      await expect(change).rejects.toEqual(refused('NOT_FOUND', /no key "nope"/))
    const fixed = node.keys.update(admin.id, { roles: ['viewer'] }, CHANGE)
    await expect(fixed).rejects.toEqual(refused('INVALID_REQUEST', /for the life/, 'roles'))
    await expect(node.keys.update(id, {}, CHANGE)).rejects.toEqual(refused('INVALID_REQUEST', /nothing/, 'patch'))
    for (const patch of [
      { class: 'admin' },
      { tenant: 'other' },
      { revokedAt: null },
      { roles: ['operator'] },
      { expiresAt: 1 },
    ])
      await expect(node.keys.update(id, patch as never, CHANGE)).rejects.toEqual(refused('INVALID_REQUEST', /./))
    await expect(node.keys.rotate(id, -1, CHANGE)).rejects.toEqual(refused('INVALID_REQUEST', /./, 'overlapMs'))
    await node.keys.revoke(id, CHANGE)
    await expect(node.keys.update(id, { name: 'x' }, CHANGE)).rejects.toEqual(refused('CONFLICT', /for good/))
    await expect(node.keys.rotate(id, 0, CHANGE)).rejects.toEqual(refused('CONFLICT', /for good/))
    expect((await node.keys.revoke(id, CHANGE)).state).toBe('revoked')
  })
})

test('a key is what was said, and every change of it is told with who and why', async () => {
  const { record } = await node.keys.create(
    {
      ...VIRTUAL,
      name: 'ci',
      team: 'search',
      user: 'bob',
      roles: ['batch'],
      models: ['openai/*', 'openai/*'],
      sources: ['10.0.0.0/8'],
    },
    CHANGE,
  )
  expect(record).toMatchObject({
    class: 'virtual',
    tenant: 'acme',
    team: 'search',
    user: 'bob',
    roles: ['batch'],
    models: ['openai/*'],
    endpoints: ['*'],
    sources: ['10.0.0.0/8'],
    state: 'active',
    createdBy: 'ada',
    expiresAt: undefined,
    lastUsedAt: undefined,
  })
  const end = node.clock.now() + 60_000
  const updated = await node.keys.update(record.id, { team: null, models: [], expiresAt: end }, CHANGE)
  expect(updated).toMatchObject({ team: undefined, models: [], expiresAt: end, user: 'bob' })
  const { record: rotated } = await node.keys.rotate(record.id, 1_000, CHANGE)
  expect(rotated.previousUntil).toBe(node.clock.now() + 1_000)
  await node.keys.revoke(record.id, { by: 'eve', reason: 'leaked' })
  const common = { id: record.id, class: 'virtual', tenant: 'acme', by: 'ada', reason: 'a test', at: node.clock.now() }
  expect(node.emitted('key:created')).toEqual([common])
  expect(node.emitted('key:updated')).toEqual([{ ...common, changed: ['team', 'models', 'expiresAt'] }])
  expect(node.emitted('key:rotated')).toEqual([{ ...common, previousUntil: node.clock.now() + 1_000 }])
  expect(node.emitted('key:revoked')).toEqual([{ ...common, by: 'eve', reason: 'leaked' }])
})

test('an expiry that is taken away is gone', async () => {
  const { id } = await made(node, { ...VIRTUAL, expiresAt: node.clock.now() + 10 })
  expect((await node.keys.update(id, { expiresAt: null }, CHANGE)).expiresAt).toBeUndefined()
})

describe('lists', () => {
  test('filter, and go on behind an id', async () => {
    const inputs = [
      VIRTUAL,
      { ...VIRTUAL, tenant: 'b', team: 't', user: 'u' },
      ADMIN,
      { ...VIRTUAL, expiresAt: node.clock.now() + 5 },
    ]
    const ids: string[] = []
    for (const input of inputs) ids.push((await made(node, input)).id)
    const [first = '', other, admin, short] = ids
    await node.keys.revoke(first, CHANGE)
    await node.clock.advance(10)
    const list = async (filter: object) => (await node.keys.list(filter)).map(({ id }) => id)
    expect(await list({})).toEqual([...ids].sort())
    expect(await list({ tenant: 'b', team: 't', user: 'u' })).toEqual([other])
    expect(await list({ class: 'admin' })).toEqual([admin])
    expect(await list({ state: 'revoked' })).toEqual([first])
    expect(await list({ state: 'expired' })).toEqual([short])
    expect(await list({ state: 'active' })).toEqual([other, admin].sort())
    const [one] = await list({ limit: 1 })
    expect(await list({ after: one })).toEqual([...ids].sort().slice(1))
  })

  test.each([{ limit: 0 }, { limit: 1.5 }, { state: 'dead' }, { tenant: '' }, { nope: 1 }])('%j is refused', async (filter) => {
    await expect(node.keys.list(filter as never)).rejects.toEqual(refused('INVALID_REQUEST', /./))
  })

  test('values are parameters: SQL in a filter finds nothing and changes nothing', async () => {
    const { id } = await made(node)
    for (const text of ["' OR 1=1 --", "acme'; DROP TABLE switchyard_keys; --", '%', '_cme', '" OR ""="'])
      for (const field of ['tenant', 'team', 'user', 'after'])
        expect(await node.keys.list({ [field]: text })).toHaveLength(field === 'after' && text < id ? 1 : 0)
    await expect(node.keys.get("' OR 1=1 --")).rejects.toEqual(refused('NOT_FOUND', /./))
    expect((await node.keys.get(id)).state).toBe('active')
  })
})

test('no record, event, log line or file holds a secret, and no record a digest', async () => {
  const path = join(tmpdir(), `access-${process.hrtime.bigint()}.db`)
  const file = await startNode({ sql: fileSql(path) })
  try {
    const { id, key } = await made(file)
    const second = (await file.keys.rotate(id, 1_000, CHANGE)).key.reveal()
    await file.ask(key)
    await file.ask(second)
    await expect(file.ask(`${key.slice(0, -1)}x`)).rejects.toThrow()
    const told = JSON.stringify([await file.keys.list(), file.plugin.emitted, file.log.records])
    for (const text of [key, second]) {
      const secret = text.split('-').at(-1) as string
      expect(told).not.toContain(secret)
      expect(readFileSync(path).includes(secret)).toBe(false)
    }
    expect(Object.keys((await file.keys.get(id)) as object).filter((name) => /digest|secret|hash|kid/i.test(name))).toEqual([])
  } finally {
    await file.plugin.close()
    rmSync(path, { force: true })
  }
})
