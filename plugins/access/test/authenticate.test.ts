import { createHash } from 'node:crypto'
import { SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newKeyText } from '../src/key-text.ts'
import { type FileSql, fileSql } from './support/file-sql.ts'
import { ADMIN, CHANGE, made, type Node, startNode, VIRTUAL } from './support/node.ts'

let sql: FileSql
let node: Node

beforeEach(async () => {
  sql = fileSql()
  node = await startNode({ sql })
})
afterEach(() => node.plugin.close())

const why = (): unknown => node.emitted('login:failed').at(-1)?.why
const selects = (): number => sql.asked.filter((one) => one.sql.startsWith('SELECT *')).length
const UNAUTHENTICATED = expect.objectContaining({
  code: 'UNAUTHENTICATED',
  message: expect.stringMatching(/^incorrect API key or/),
})

describe('nobody is let in', () => {
  test('without a credential, or with what is none of ours', async () => {
    expect(() => node.access.authenticate({})).toThrow(/^no API key/)
    expect(why()).toBe('missing')
    for (const value of ['Bearer nonsense', 'Bearer ', 'sk-live-123', 'Basic YTpi'])
      expect(() => node.access.authenticate({ authorization: value })).toThrow(UNAUTHENTICATED)
    expect(why()).toBe('unreadable')
  })

  test('with a typo, which costs no query', async () => {
    const { key } = await made(node)
    const before = selects()
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x'
      await expect(node.ask(key.slice(0, at) + other + key.slice(at + 1), `10.0.0.${at}`)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      })
    }
    expect(selects()).toBe(before)
  })

  test('with the digest that the database holds (A19), or with a hash of the key', async () => {
    const { id, key } = await made(node)
    const { rows } = await sql.query<{ digest: string }>('SELECT digest FROM switchyard_keys WHERE id = ?', [id])
    const digest = rows[0]?.digest as string
    const hashes = ['base64', 'hex'].map((form) =>
      createHash('sha256')
        .update(key)
        .digest(form as 'hex'),
    )
    for (const text of [digest, `sk-sy-${digest}`, `sk-sy-${id}-${digest}`, ...hashes, id])
      await expect(node.ask(text, text)).rejects.toThrow(UNAUTHENTICATED)
    expect((await node.ask(key)).principal.keyId).toBe(id)
  })

  test('with a right secret under another class', async () => {
    const { key } = await made(node)
    await sql.query("UPDATE switchyard_keys SET class = 'admin'")
    await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect(why()).toBe('wrong-secret')
  })

  test('with a key of another gateway, or one that is gone: both cost the same query', async () => {
    const other = await startNode({ sql: fileSql() })
    const { key } = await made(other)
    await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect([why(), selects()]).toEqual(['unknown', 1])
    const own = await made(node)
    const before = selects()
    await sql.query('UPDATE switchyard_keys SET digest = ?', ['AAAA'])
    await expect(node.ask(own.key)).rejects.toThrow(UNAUTHENTICATED)
    expect([why(), selects()]).toEqual(['wrong-secret', before + 1])
    await other.plugin.close()
  })

  test('after its time, also where it was taken a moment ago', async () => {
    const { key } = await made(node, { ...VIRTUAL, expiresAt: node.clock.now() + 300 })
    await node.ask(key)
    await node.clock.advance(299)
    await node.ask(key)
    await node.clock.advance(1)
    await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    await node.clock.advance(5_000)
    await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect(why()).toBe('expired')
  })

  test('from another place than the key is bound to, or from an unknown one', async () => {
    const { key } = await made(node, { ...VIRTUAL, sources: ['10.1.0.0/16', '2001:db8::/32'] })
    for (const place of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) await node.ask(key, place)
    for (const place of ['10.2.0.1', '::ffff:10.2.0.1', '2001:db9::1', 'nowhere', undefined])
      await expect(node.ask(key, place)).rejects.toThrow(UNAUTHENTICATED)
    expect(why()).toBe('wrong-source')
  })

  test.each([
    ['the read of the key', new Error('the disk is gone')],
    ['the read, with an error of ours', new SwitchyardError('OVERLOADED', 'busy')],
  ])('where a step fails (A18): %s', async (_, fault) => {
    const { key } = await made(node)
    sql.fault = fault
    await expect(node.ask(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: true })
    expect(why()).toBe('fault')
    sql.fault = undefined
    await node.ask(key)
  })

  test.each(['roles', 'models', 'endpoints', 'sources'])('a column %s that cannot be read allows nothing', async (column) => {
    const { key } = await made(node)
    await sql.query(`UPDATE switchyard_keys SET ${column} = '{"not": "a list"'`)
    const asked = node.ask(key, '10.0.0.1')
    if (column === 'sources') await expect(asked).rejects.toThrow(UNAUTHENTICATED)
    else {
      const { principal } = await asked
      expect(column === 'roles' ? principal.roles : principal.scopes?.[column as 'models']).toEqual([])
    }
  })
})

test('a key is its principal, from whichever header, which is named', async () => {
  const { id, key } = await made(node, { ...VIRTUAL, team: 't', user: 'u', roles: ['trace'], models: ['a/*'] })
  const admin = await made(node, ADMIN)
  const principal = {
    tenant: 'acme',
    keyId: id,
    team: 't',
    user: 'u',
    roles: ['trace'],
    scopes: { models: ['a/*'], endpoints: ['*'] },
  }
  expect(await node.ask(key)).toEqual({ principal, carrier: 'authorization', class: 'virtual' })
  for (const carrier of ['x-portkey-api-key', 'api-key', 'x-api-key']) {
    const found = node.access.authenticate({ authorization: 'Bearer of-the-provider', [carrier]: key })
    expect(found).toEqual({ principal, carrier, class: 'virtual' })
    expect(Object.isFrozen(found)).toBe(true)
  }
  expect(await node.ask(admin.key)).toMatchObject({
    class: 'admin',
    principal: { tenant: 'ops', roles: ['admin'], scopes: { models: [], endpoints: [] } },
  })
})

describe('what was checked', () => {
  test('is answered at once and without a query, renewed ahead of its end, and checked again after it', async () => {
    const { key } = await made(node)
    const ask = () => node.access.authenticate({ authorization: `Bearer ${key}` })
    const [first, second] = await Promise.all([ask(), ask()])
    expect([second, selects()]).toEqual([first, 2])
    await node.clock.advance(400)
    expect(ask()).not.toBeInstanceOf(Promise)
    expect(selects()).toBe(2)
    await node.clock.advance(200)
    expect(ask()).not.toBeInstanceOf(Promise)
    expect(ask()).not.toBeInstanceOf(Promise)
    await node.clock.advance(0)
    expect(selects()).toBe(3)
    await node.clock.advance(1_000)
    expect(ask()).toBeInstanceOf(Promise)
    await node.clock.advance(0)
    expect(selects()).toBe(4)
  })

  test('is refused within its time by what another process did', async () => {
    const { key } = await made(node)
    await node.ask(key)
    await sql.query('UPDATE switchyard_keys SET revoked_at = 1')
    await node.clock.advance(1_000)
    await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect(why()).toBe('revoked')
  })

  test('is bounded', async () => {
    const small = await startNode({ sql, options: { cacheSize: 2 } })
    const all = [await made(small), await made(small), await made(small)]
    for (const { key } of all) await small.ask(key)
    const answers = all.map(({ key }) => small.access.authenticate({ 'api-key': key }) instanceof Promise)
    expect(answers).toEqual([true, false, false])
    await small.clock.advance(0)
    await small.plugin.close()
  })

  test('holds through an outage only where that is allowed, and only so long', async () => {
    const lasting = await startNode({ sql, options: { outageGraceMs: 2_000 } })
    const { key } = await made(lasting)
    await Promise.all([node.ask(key), lasting.ask(key)])
    sql.fault = new Error('away')
    for (const one of [node, lasting]) await one.clock.advance(1_500)
    await expect(node.ask(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    await lasting.ask(key)
    await lasting.clock.advance(1_500)
    await expect(lasting.ask(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    sql.fault = undefined
    await lasting.plugin.close()
  })

  test('does not bring back what was revoked while it was read', async () => {
    const { id, key } = await made(node)
    const { promise, resolve: open } = Promise.withResolvers<void>()
    sql.gate = promise
    const asked = node.ask(key)
    sql.gate = undefined
    await node.keys.revoke(id, CHANGE)
    open()
    await expect(asked).rejects.toThrow(UNAUTHENTICATED)
  })
})

test('a rotated key is taken by both secrets for the overlap, then by the new one; each use is told', async () => {
  const { id, key } = await made(node)
  await node.ask(key)
  const second = (await node.keys.rotate(id, 60_000, CHANGE)).key.reveal()
  const usedAt = node.clock.now()
  expect(await node.keys.get(id)).toMatchObject({ lastUsedAt: undefined, previousLastUsedAt: usedAt })
  await node.clock.advance(30_000)
  await node.ask(second)
  await node.ask(key)
  await node.clock.advance(10_000)
  expect(await node.keys.get(id)).toMatchObject({ lastUsedAt: usedAt + 30_000, previousLastUsedAt: usedAt + 30_000 })
  await node.clock.advance(20_000)
  await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
  await node.ask(second)
  const third = (await node.keys.rotate(id, 0, CHANGE)).key.reveal()
  await expect(node.ask(second)).rejects.toThrow(UNAUTHENTICATED)
  await node.ask(third)
})

test('uses are written in batches, and at the close; a failing write is tried again', async () => {
  const { id, key } = await made(node)
  const writes = () => sql.asked.filter((one) => one.sql.includes('last_used_at = CASE')).length
  for (let at = 0; at < 20; at++) {
    await node.ask(key)
    await node.clock.advance(100)
  }
  expect(writes()).toBe(0)
  await node.clock.advance(10_000)
  expect(writes()).toBe(1)
  await node.ask(key)
  sql.fault = new Error('away')
  await node.clock.advance(10_000)
  expect(node.log.records.filter(({ level }) => level === 'warn')).toHaveLength(1)
  sql.fault = undefined
  const used = node.clock.now() - 10_000
  await node.plugin.close()
  const after = await startNode({ sql })
  expect((await after.keys.get(id)).lastUsedAt).toBe(used)
  await after.plugin.close()
})

describe('guessing', () => {
  const wrong = async (on: Node): Promise<string> => (await made(on)).key

  test('is cut off by the address, and goes on after the window', async () => {
    const guarded = await startNode({ sql, options: { guessing: { perSource: 3, windowMs: 1_000 } } })
    const { key } = await made(guarded)
    for (let at = 0; at < 3; at++) await expect(guarded.ask('sk-sy-x', '10.0.0.1')).rejects.toThrow(UNAUTHENTICATED)
    await expect(guarded.ask(key, '10.0.0.1')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 })
    await guarded.ask(key, '10.0.0.2')
    // Right a moment ago: no guess.
    await guarded.ask(key, '10.0.0.1')
    await guarded.clock.advance(1_000)
    await guarded.ask(await wrong(guarded), '10.0.0.1')
    await guarded.plugin.close()
  })

  test('is cut off by the id that is claimed, from wherever', async () => {
    const guarded = await startNode({ sql, options: { guessing: { perKey: 2 } } })
    const { id, key } = await made(guarded)
    await sql.query("UPDATE switchyard_keys SET digest = 'AAAA' WHERE id = ?", [id])
    for (const place of ['10.0.0.1', '10.0.0.2']) await expect(guarded.ask(key, place)).rejects.toThrow(UNAUTHENTICATED)
    // Who did not fail yet has one try: it may be the owner, who is not to be shut out.
    await expect(guarded.ask(key, '10.0.0.3')).rejects.toThrow(UNAUTHENTICATED)
    const before = selects()
    for (const place of ['10.0.0.1', '10.0.0.2', '10.0.0.3', undefined])
      await expect(guarded.ask(key, place)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    expect(selects()).toBe(before)
    await guarded.plugin.close()
  })

  test('of a key by others does not shut its owner out who comes for the first time, nor after the key was changed', async () => {
    const guarded = await startNode({ sql, options: { guessing: { perSource: 3, perKey: 2 } } })
    const { id, key } = await made(guarded)
    const guess = async (source: string): Promise<void> => {
      await guarded.ask(newKeyText('virtual', id), source).catch(() => {})
    }
    for (let at = 0; at < 4; at++) await guess('10.0.0.9')
    await guarded.ask(key, '10.0.0.1')
    // And now from the owner's own address, as behind one proxy.
    for (let at = 0; at < 4; at++) await guess('10.0.0.1')
    await guarded.keys.update(id, { name: 'changed' }, CHANGE)
    await guarded.ask(key, '10.0.0.1')
    // What is wrong by now is a guess like any other.
    await guarded.keys.rotate(id, 0, CHANGE)
    await expect(guarded.ask(key, '10.0.0.1')).rejects.toThrow(UNAUTHENTICATED)
    await expect(guarded.ask(key, '10.0.0.1')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    await guarded.plugin.close()
  })

  test('is counted by the network that one holder of IPv6 has', async () => {
    const guarded = await startNode({ sql, options: { guessing: { perSource: 2 } } })
    const { key } = await made(guarded)
    for (const place of ['2001:db8:0:1::1', '2001:db8::1:ffff:0:0:2'])
      await expect(guarded.ask('sk-sy-x', place)).rejects.toThrow(UNAUTHENTICATED)
    await expect(guarded.ask(key, '2001:db8:0:1:a:b:c:d')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    await guarded.ask(key, '2001:db8:0:2::1')
    await guarded.plugin.close()
  })

  test('does not count what has ended: a forgotten client shuts nobody out', async () => {
    const guarded = await startNode({ sql, options: { guessing: { perSource: 1, perKey: 1 } } })
    const { id, key } = await made(guarded)
    await guarded.keys.revoke(id, CHANGE)
    for (let at = 0; at < 5; at++) await expect(guarded.ask(key, '10.0.0.1')).rejects.toThrow(UNAUTHENTICATED)
    await guarded.ask(await wrong(guarded), '10.0.0.1')
    await guarded.plugin.close()
  })
})

test('keys that share any beginning or end never share a principal (A17)', async () => {
  const keys = new Map<string, string>()
  for (let at = 0; at < 4; at++) {
    const { id, key } = await made(node, { ...VIRTUAL, tenant: `t${at}` })
    keys.set(key, id)
    await node.ask(key)
  }
  const texts = [...keys.keys()]
  const cut = fc.nat({ max: (texts[0] as string).length })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...texts),
      fc.constantFrom(...texts),
      cut,
      cut,
      fc.string(),
      async (a, b, from, to, between) => {
        // Both are known now: what is made of them must not be taken for either.
        for (const key of [a, b]) await node.ask(key)
        const text = a.slice(0, from) + between + b.slice(to)
        const found = await node.ask(text).catch(() => undefined)
        expect(found?.principal.keyId).toBe(keys.get(text))
        await node.clock.advance(61_000)
      },
    ),
    { numRuns: 300 },
  )
})

test('SQL in a credential reaches no statement (A15)', async () => {
  await made(node)
  const before = sql.asked.length
  const { length } = 'sk-sy-0123456789AB-'
  for (const text of [
    "' OR 1=1 --",
    "sk-sy-' OR '1'='1",
    `sk-sy-${"' OR 1=1; --".padEnd(12)}-${'0'.repeat(49)}`,
    'x'.repeat(length),
  ])
    await expect(node.ask(text)).rejects.toThrow(UNAUTHENTICATED)
  expect(sql.asked.length).toBe(before)
})
