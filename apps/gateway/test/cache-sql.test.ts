import { responseCache } from '@switchyard/cache'
import { cacheMemory } from '@switchyard/cache-memory'
import { cacheRedis } from '@switchyard/cache-redis'
import { postgres } from '@switchyard/connector-postgres'
import { sqlite } from '@switchyard/connector-sqlite'
import { definePlugin, type Plugin, type SqlDatabase, type SqlResult, sql as sqlPort } from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { notRunLine, postgresForTests, privateRedis } from '../../../scripts/services/index.ts'

const server = await postgresForTests()
const redis = await privateRedis()
afterAll(() => (redis.status === 'ready' ? redis.stop() : undefined))
const principal = { tenant: 'acme', keyId: 'key-1', roles: [] }

let kernel: Kernel | undefined
afterEach(() => kernel?.close())

/** Texts that came through the cache to the database. */
let asked: string[] = []
const watching: Plugin = definePlugin({
  name: 'watching',
  contract: 1,
  options: z.strictObject({}),
  setup: () => ({
    ports: {},
    policies: [
      {
        name: 'watching',
        stage: 'transport',
        operations: ['sql.query'],
        around(call, next) {
          asked.push((call.request as { readonly sql: string }).sql)
          return next(call)
        },
      },
    ],
  }),
})()

async function over(database: Plugin): Promise<void> {
  asked = []
  const sql = { rules: [{ match: { targets: ['shop'] }, ttlMs: 60_000 }] }
  kernel = await startKernel({ plugins: [cacheMemory(), responseCache({ sql }), watching, database] })
}

const ask = (text: string, params: readonly unknown[] = []): Promise<SqlResult> =>
  (kernel as Kernel).call('sql.query', { target: 'shop', request: { sql: text, params }, principal }) as Promise<SqlResult>

describe('the cache of statements on a real SQLite', () => {
  test('answers what was asked, exactly, until its table is written to', async () => {
    await over(sqlite({ path: ':memory:' }, { as: 'shop' }))
    await ask('CREATE TABLE things (id INTEGER PRIMARY KEY, big INTEGER, raw BLOB, note TEXT UNIQUE)')
    const raw = new Uint8Array([0, 255, 7])
    await ask('INSERT INTO things VALUES (?, ?, ?, ?)', [1, 9_007_199_254_740_993n, raw, null])
    const read = 'SELECT * FROM things WHERE id = ?'
    const first = await ask(read, [1])
    asked = []
    const again = await ask(read, [1])
    expect(asked).toEqual([])
    expect(again).toStrictEqual(first)
    expect(Object.getPrototypeOf(again.rows[0])).toBe(Object.getPrototypeOf(first.rows[0]))
    expect(again.rows[0]).toMatchObject({ big: 9_007_199_254_740_993n, raw, note: null })
    await ask(read, [2])
    expect(asked).toEqual([read])

    await ask('UPDATE "Things" SET note = ? WHERE id = 1', ['new'])
    expect((await ask(read, [1])).rows[0]).toMatchObject({ note: 'new' })
    await expect(ask('INSERT INTO things (note) VALUES (?)', ['new'])).rejects.toMatchObject({ code: 'CONFLICT' })
    asked = []
    expect((await ask(read, [1])).rows[0]).toMatchObject({ note: 'new' })
    expect(asked).toEqual([read])
    await ask('SELECT random()')
    await ask('SELECT random()')
    expect(asked.length).toBe(3)
  })

  test('fifty equal reads are one', async () => {
    await over(sqlite({ path: ':memory:' }, { as: 'shop' }))
    const text = 'SELECT 1 AS one'
    await Promise.all(Array.from({ length: 50 }, () => ask(text)))
    expect(asked).toEqual([text])
  })
})

describe('on a real PostgreSQL', () => {
  test('arrays, JSON, dates as text, bytes and numbers come back from the cache as from the database', async (context) => {
    if (server.status !== 'ready') return context.skip(notRunLine(server))
    await over(postgres({ url: server.url }, { as: 'shop' }))
    const name = `cached_${process.pid}_${Math.floor(Math.random() * 1e9)}`
    await ask(`CREATE TABLE ${name} (id int, big bigint, n numeric, j jsonb, a int[], b bytea, t timestamptz)`)
    try {
      await ask(
        `INSERT INTO ${name} VALUES (1, 9007199254740993, 1.10, '{"x":[1,null]}', '{1,2}', '\\x00ff', '2020-02-02T02:02:02Z') RETURNING id`,
      )
      const read = `SELECT * FROM ONLY ${name} WHERE id = $1`
      const first = await ask(read, [1])
      asked = []
      expect(await ask(read, [1])).toStrictEqual(first)
      expect(asked).toEqual([])
      await ask(`DELETE FROM ONLY ${name}`)
      expect((await ask(read, [1])).rows).toEqual([])
    } finally {
      await ask(`DROP TABLE ${name}`)
    }
  })
})

describe('nodes that share a Redis', () => {
  /** A database of one number for all nodes. */
  const number = (held: { value: number; reads: number }): Plugin =>
    definePlugin({
      name: 'shop',
      contract: 1,
      options: z.strictObject({}),
      provides: { sql: sqlPort },
      setup: () => ({
        ports: { sql: { capabilities: { dialect: 'postgres' } } as unknown as SqlDatabase },
        serves: {
          async 'sql.query'({ request }) {
            if (request.sql === READ) held.reads += 1
            else held.value += 1
            return { rows: [{ value: held.value }], rowCount: 1 }
          },
        },
      }),
    })()
  const READ = 'SELECT value FROM numbers'

  test('a read sees what was written at any node before it began, and is shared else', async (context) => {
    if (redis.status !== 'ready') return context.skip(notRunLine(redis))
    const { url } = redis
    const held = { value: 0, reads: 0 }
    const rules = { rules: [{ match: { targets: ['shop'] }, ttlMs: 60_000 }] }
    const nodes = await Promise.all(
      Array.from({ length: 3 }, () =>
        startKernel({ plugins: [cacheRedis({ url, keyPrefix: 'sql:' }), responseCache({ sql: rules }), number(held)] }),
      ),
    )
    try {
      const query = async (node: number, text: string): Promise<unknown> => {
        const request = { sql: text, params: [] }
        const { rows } = await (nodes[node % 3] as Kernel).call('sql.query', { target: 'shop', request, principal })
        return rows[0]?.value
      }
      let writing = false
      const readers = Array.from({ length: 3 }, async (_, node) => {
        for (let turn = 0; turn < 150; turn += 1) {
          const least = held.value - (writing ? 1 : 0)
          expect(await query(node, READ)).toBeGreaterThanOrEqual(least)
        }
      })
      const writer = (async () => {
        for (let turn = 0; turn < 40; turn += 1) {
          writing = true
          await query(turn, 'UPDATE numbers SET value = value + 1')
          writing = false
          expect(await query(turn + 1, READ)).toBe(turn + 1)
        }
      })()
      await Promise.all([...readers, writer])
      held.reads = 0
      for (let turn = 0; turn < 30; turn += 1) expect(await query(turn, READ)).toBe(40)
      expect(held.reads).toBeLessThanOrEqual(1)
    } finally {
      await Promise.all(nodes.map((node) => node.close()))
    }
  })
})
