import type { SqlResult } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tableTag, tenantTag } from '../../src/keys/tags.ts'
import type { SqlInput } from '../../src/sql/options.ts'
import { sqlKind } from '../../src/sql/sql-kind.ts'
import { ALL, framesOf, given, kindWith, planned, sqlCall, validated } from './support.ts'

const READ = 'SELECT * FROM orders WHERE id = ?'
const acme = { tenant: 'acme', keyId: 'key-1', user: 'ann', roles: [] }

describe('who shares a result', () => {
  const part = fc.record({
    tenant: fc.constantFrom('a', 'ab', 'b', 'a:b', ''),
    keyId: fc.constantFrom('a', 'b', 'ab'),
    user: fc.constantFrom('a', 'b'),
    target: fc.constantFrom('orders', 'copy', 'other'),
    sql: fc.constantFrom('SELECT 1 FROM a', 'SELECT 1 FROM a ', 'SELECT  1 FROM a', 'SELECT 1 FROM A', 'SELECT 11 FROM a'),
    params: fc.array(
      fc.oneof(
        fc.constantFrom<unknown>(
          1,
          '1',
          1n,
          true,
          null,
          undefined,
          0,
          -0,
          Number.NaN,
          '',
          '\ud800',
          '\ufffd',
          '\udc00',
          2,
          1.5,
        ),
        fc.constantFrom<unknown>([], [1], [[1]], ['1'], {}, { a: 1 }, { a: '1' }, { a: 1, b: 2 }, { b: 2, a: 1 }),
        fc.constantFrom<unknown>(new Uint8Array([49]), Buffer.from('1'), new Date(0), new Date(1), new Date(Number.NaN)),
      ),
      { maxLength: 2 },
    ),
    scope: fc.constantFrom('tenant' as const, 'key' as const, 'user' as const),
    epoch: fc.constantFrom('', '1'),
  })
  type Part = (typeof part extends fc.Arbitrary<infer T> ? T : never) & object

  const kinds = new Map<string, ReturnType<typeof kindWith>>()
  const kindOf = (scope: Part['scope'], epoch: string): ReturnType<typeof kindWith> => {
    const known = kinds.get(scope + epoch)
    if (known !== undefined) return known
    const made = kindWith({ epoch, rules: [{ match: { targets: ['orders', 'copy', 'other'] }, ttlMs: 1, scope }] })
    kinds.set(scope + epoch, made)
    return made
  }
  const keyOf = ({ scope, epoch, tenant, keyId, user, target, sql, params }: Part): string => {
    return planned(kindOf(scope, epoch).plan(sqlCall(sql, params, { target, principal: { tenant, keyId, user, roles: [] } })))
      .key
  }
  /** All that a result may depend on, spelt out. */
  const identity = ({ scope, epoch, tenant, keyId, user, target, sql, params }: Part): string =>
    JSON.stringify([
      epoch,
      tenant,
      scope,
      scope === 'tenant' ? '' : scope === 'key' ? keyId : user,
      target,
      sql.trim(),
      params.map(spelt),
    ])

  test('nobody but who asks the same, in the same place, with the same right', () => {
    fc.assert(
      fc.property(part, part, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(identity(one) === identity(other))
        const near = { ...one, params: other.params }
        expect(keyOf(one) === keyOf(near)).toBe(identity(one) === identity(near))
      }),
      { numRuns: 1_500 },
    )
  })

  test('another secret is another cache, and a key tells nothing', () => {
    const one = planned(kindWith(ALL, 'sqlite', 'one').plan(sqlCall(READ, ['secret value'])))
    const two = planned(kindWith(ALL, 'sqlite', 'two').plan(sqlCall(READ, ['secret value'])))
    expect(one.key).not.toBe(two.key)
    expect(one.key).toMatch(/^q:[\w-]{43}$/)
  })
})

function spelt(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', value.map(spelt)]
  if (Buffer.isBuffer(value)) return ['buffer', [...value]]
  if (value instanceof Uint8Array) return ['bytes', [...value]]
  if (value instanceof Date) return ['date', String(value.getTime())]
  if (typeof value === 'object' && value !== null)
    return ['object', Object.entries(value).map(([key, one]) => [key, spelt(one)])]
  if (typeof value === 'string') return ['text', [...Array(value.length).keys()].map((at) => value.charCodeAt(at))]
  return [typeof value, Object.is(value, -0) ? '-0' : String(value)]
}

describe('what is kept', () => {
  const plan = (input: SqlInput, sql: string, params: readonly unknown[] = [], changes: Parameters<typeof sqlCall>[2] = {}) =>
    kindWith(input).plan(sqlCall(sql, params, changes))

  test('nothing without a rule for the target', () => {
    expect(plan({}, READ)).toEqual({ bypass: 'off' })
    expect(plan({ rules: [{ match: { targets: ['copy'] }, ttlMs: 1 }] }, READ)).toEqual({ bypass: 'off' })
    expect(plan({}, 'DELETE FROM orders')).toEqual({ bypass: 'off' })
    expect(plan({}, READ, [], { attributes: { cache: 'only-if-cached' } })).toEqual({ bypass: 'off', wish: 'only-if-cached' })
  })

  test('as the first rule that fits says', () => {
    const input: SqlInput = {
      rules: [
        { match: { targets: ['orders'], tables: ['Countries', 'currencies'] }, ttlMs: 9, staleMs: 4, mode: 'eventual' },
        { match: { targets: ['orders'] }, ttlMs: 5, whenAsked: true, scope: 'user' },
        { match: { targets: ['orders'], tables: ['lines'] }, ttlMs: 7 },
      ],
    }
    expect(plan(input, 'SELECT * FROM countries JOIN currencies USING (code)')).toMatchObject({
      ttlMs: 9,
      staleMs: 4,
      strict: false,
      maxAgeMs: undefined,
      likeness: undefined,
    })
    expect(plan(input, 'WITH lines AS (SELECT * FROM countries) SELECT * FROM lines')).toMatchObject({ ttlMs: 9 })
    expect(plan(input, 'SELECT * FROM lines')).toMatchObject({ ttlMs: 7, staleMs: 0, strict: true })
    expect(plan(input, 'SELECT * FROM countries, lines')).toEqual({ bypass: 'off' })
    const asked = { attributes: { cacheMaxAgeMs: 50 } }
    expect(plan(input, 'SELECT * FROM lines', [], { ...asked, principal: acme })).toMatchObject({ ttlMs: 5, maxAgeMs: 50 })
    expect(plan(input, 'SELECT * FROM lines', [], asked)).toEqual({ bypass: 'personal' })
    // The parser does not know ORDER BY in a compound of brackets, so the tables are not known for sure.
    expect(plan(input, 'SELECT * FROM lines WHERE x IS NOT DISTINCT FROM 1')).toEqual({ bypass: 'tables-unknown' })
  })

  test('what the caller asks for, and no more', () => {
    const wish = (attributes: Record<string, string | number>) => plan(ALL, READ, [1], { attributes })
    expect(wish({ cache: 'no-store' })).toEqual({ bypass: 'no-store' })
    expect(wish({ cache: 'no-cache' })).toMatchObject({ wish: 'no-cache' })
    expect(wish({ cache: 'only-if-cached', cacheMaxAgeMs: 10 })).toMatchObject({ wish: 'only-if-cached', maxAgeMs: 10 })
    expect(planned(wish({ cacheTags: 'a, b,a' })).tags).toEqual(
      expect.arrayContaining([tenantTag('acme', 'tag:a'), tenantTag('acme', 'tag:b')]),
    )
    for (const [name, value] of [
      ['cache', 'maybe'],
      ['cacheMaxAgeMs', -1],
      ['cacheMaxAgeMs', 'x'],
      ['cacheTags', 'a b'],
      ['cacheTags', 'x'.repeat(65)],
    ] as const)
      expect(() => wish({ [name]: value }), `${name} ${value}`).toThrow(
        expect.objectContaining({ code: 'INVALID_REQUEST', details: { param: name } }),
      )
    expect(() => wish({ cacheTags: Array.from({ length: 17 }, (_, at) => `t${at}`).join() })).toThrow(/cacheTags/)
  })

  test('a write is one whatever the caller says of the cache', () => {
    for (const attributes of [{ cache: 'no-store' }, { cache: 'nonsense' }, { purpose: 'probe' }])
      expect(plan(ALL, 'DELETE FROM orders', [], { attributes })).toEqual({ writes: [tableTag('orders', 'orders')] })
  })

  test('calls of our own are let through, but for refreshes', () => {
    expect(plan(ALL, READ, [1], { attributes: { purpose: 'probe' } })).toEqual({ bypass: 'own-call' })
    expect(plan(ALL, READ, [1], { attributes: { purpose: 'refresh' } })).toHaveProperty('key')
  })

  test('parameters without an exact form, or that mean another day each day, are let through', () => {
    class Point {}
    expect(plan(ALL, READ, [new Point()])).toEqual({ bypass: 'content' })
    expect(plan(ALL, READ, ['x'.repeat(100_000)])).toEqual({ bypass: 'too-large' })
    expect(plan(ALL, READ, [' NOW '])).toEqual({ bypass: 'not-deterministic' })
    expect(plan(ALL, READ, ['nowhere'])).toHaveProperty('key')
    expect(plan(ALL, 'SELECT random()', [], { attributes: { cache: 'only-if-cached' } })).toEqual({
      bypass: 'not-deterministic',
      wish: 'only-if-cached',
    })
  })
})

describe('tags of reads and writes', () => {
  const kind = kindWith({
    ...ALL,
    databases: {
      main: { targets: ['orders', 'copy'], also: { Orders: ['order_totals'], order_totals: ['report', 'orders'] } },
    },
  })
  const writes = (sql: string, target = 'orders') =>
    (kind.plan(sqlCall(sql, [], { target })) as { writes: readonly string[] }).writes
  const tags = (sql: string, target = 'orders', tenant = 'acme') =>
    planned(kind.plan(sqlCall(sql, [], { target, principal: { ...acme, tenant } }))).tags
  const meet = (one: readonly string[], other: readonly string[]) => one.some((tag) => other.includes(tag))

  test('a write ends reads of its table, of any tenant, through any target of the database, and of what changes with it', () => {
    const written = writes('INSERT INTO orders VALUES (1)')
    for (const tenant of ['acme', 'other'])
      for (const target of ['orders', 'copy'])
        for (const sql of ['SELECT * FROM "Orders"', 'SELECT * FROM order_totals', 'SELECT * FROM lines, report'])
          expect(meet(tags(sql, target, tenant), written), sql).toBe(true)
  })

  test('and no others', () => {
    expect(meet(tags('SELECT * FROM lines'), writes('UPDATE orders SET x = 1'))).toBe(false)
    expect(meet(tags('SELECT * FROM orders', 'other'), writes('UPDATE orders SET x = 1'))).toBe(false)
    // A column of a table's name is told apart by the parser.
    expect(meet(tags('SELECT orders FROM lines'), writes('UPDATE orders SET x = 1'))).toBe(false)
  })

  test('a write of unknown reach ends all of its database, and of no other', () => {
    const written = writes('DROP TABLE orders')
    expect(meet(tags('SELECT 1'), written)).toBe(true)
    expect(meet(tags('SELECT * FROM lines', 'copy', 'other'), written)).toBe(true)
    expect(meet(tags('SELECT * FROM lines', 'other'), written)).toBe(false)
  })

  test('no tag of a tenant is one of a table or of another tenant', () => {
    const names = fc.string({ maxLength: 8, unit: fc.constantFrom('a', ':', '1', 's', 't', '*') })
    fc.assert(
      fc.property(names, names, names, names, (tenant, tag, other, table) => {
        expect(tenantTag(tenant, tag)).not.toBe(tableTag(other, table))
        expect(tenantTag(tenant, tag) === tenantTag(other, table)).toBe(tenant === other && tag === table)
        expect(tableTag(tenant, tag) === tableTag(other, table)).toBe(tenant === other && tag === table)
        expect(tenantTag(tenant)).not.toBe(tenantTag(other, table))
      }),
    )
  })

  test('a database may be called as a target is without meeting it, and what was read through a target bears its name', () => {
    const two = kindWith({ ...ALL, databases: { other: { targets: ['orders'] } } })
    const one = planned(two.plan(sqlCall('SELECT 1'))).tags
    const written = (two.plan(sqlCall('DROP TABLE a', [], { target: 'other' })) as { writes: readonly string[] }).writes
    expect(meet(one, written)).toBe(false)
    // By these the admin invalidates.
    expect(tags('SELECT * FROM lines', 'copy')).toEqual(expect.arrayContaining([tableTag('copy'), tableTag('copy', 'lines')]))
  })
})

describe('results on their way', () => {
  const kind = kindWith({ rules: [{ match: { targets: ['orders'] }, ttlMs: 1, maxBytes: 100_000 }] })
  const call = sqlCall(READ, [1])
  const result: SqlResult = { rows: [{ id: 1, big: 2n ** 70n, raw: new Uint8Array([1, 2]), none: null }], rowCount: 1 }

  test('a result is kept, opened and answered any number of times, each time its own', async () => {
    const frames = await framesOf(kind, result)
    expect(await kind.assemble(given(frames), undefined, call)).toStrictEqual(result)
    const kept = kind.keep(call, frames)
    if ('refused' in kept) expect.fail(kept.refused)
    expect(kept.by).toBe('orders')
    const { ready, bytes } = kind.open(kept.payload)
    expect(bytes).toBe(kept.payload.byteLength)
    const marks = { level: 'l1' as const, age: 1, entry: 'e' }
    const first = kind.answer(ready, call, marks)
    ;(first.rows[0] as Record<string, unknown>).id = 'changed'
    ;((first.rows[0] as Record<string, unknown>).raw as Uint8Array).fill(9)
    expect(kind.answer(ready, call, marks)).toStrictEqual(result)
    expect(kind.wordsOf(ready)).toBeUndefined()
    expect(() => kind.open(Uint8Array.of(1, 2, 3))).toThrow(/no result/)
  })

  test('large ones travel in pieces, and are not kept beyond the limit of their rule', async () => {
    const large = { rows: [{ text: 'x'.repeat(150_000) }], rowCount: 1 }
    const frames = await framesOf(kind, large)
    expect(frames.length).toBe(3)
    expect(await kind.assemble(given(frames), undefined, call)).toStrictEqual(large)
    expect(kind.keep(call, frames)).toEqual({ refused: 'too-large' })
  })

  test('one without a form in bytes reaches those of this process, is not kept, and its statement is let through from then on', async () => {
    class Interval {
      readonly months = 1
    }
    const odd = { rows: [{ every: new Interval() }], rowCount: 1 }
    const frames = await framesOf(kind, odd)
    const got = await kind.assemble(given(frames), undefined, call)
    expect(got).toStrictEqual(odd)
    expect(got.rows[0]).not.toBe(odd.rows[0])
    expect(kind.keep(call, frames)).toEqual({ refused: 'content' })
    expect(kind.plan(call)).toEqual({ bypass: 'content' })
    const elsewhere = frames.map((frame) => Uint8Array.from(frame))
    await expect(kind.assemble(given(elsewhere), undefined, call)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    })
  })

  test('no frames are no result, and neither are half', async () => {
    await expect(kind.assemble(given([]), undefined, call)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    const frames = await framesOf(kind, { rows: [{ text: 'x'.repeat(150_000) }], rowCount: 1 })
    await expect(kind.assemble(given(frames.slice(0, 2)), undefined, call)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })
})

describe('explain and set-up', () => {
  test('says what was looked at, without texts and values', () => {
    const kind = kindWith(ALL)
    expect(kind.explain(sqlCall("SELECT secret FROM orders WHERE x = 'private'", ['p']))).toEqual({
      target: 'orders',
      database: 'orders',
      dialect: 'sqlite',
      statement: 'read',
      tables: ['orders'],
      mode: 'strict',
      scope: 'tenant',
      ttlMs: 60_000,
      staleMs: 0,
      parameters: 1,
    })
    expect(kind.explain(sqlCall('DROP TABLE x'))).toMatchObject({ statement: 'write', changes: 'any table' })
    expect(kind.explain(sqlCall('SELECT random()'))).toMatchObject({ statement: 'bypass', reason: 'not-deterministic' })
    expect(kind.explain(sqlCall('SELECT 1', [], { target: 'nowhere' }))).toMatchObject({ rules: 'none names this target' })
  })

  test('targets that are none, in two databases, and unknown options are told', () => {
    expect(() => kindWith({ rules: [{ match: { targets: ['ordres'] }, ttlMs: 1 }] })).toThrow(
      /"ordres" is no instance of the sql port; there are "orders"/,
    )
    expect(() => kindWith({ ...ALL, databases: { a: { targets: ['orders'] }, b: { targets: ['orders'] } } })).toThrow(
      /name it once/,
    )
    expect(() => validated({ rules: [{ match: { targets: ['a'] }, ttlMs: 1, ttl: 1 } as never] })).toThrow(/ttl/)
    const tables = validated({ rules: [{ match: { targets: ['a'], tables: ['x'] }, ttlMs: 1 }] })
    const bare = { options: tables, secret: 's', dialects: new Map([['a', 'mysql' as const]]), narrowings: new Map() }
    expect(() => sqlKind(bare)).toThrow(/node-sql-parser.*is not installed/)
    expect(() => sqlKind({ ...bare, options: validated(ALL), dialects: new Map() })).toThrow(/there is none/)
  })
})
