import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { processBus, virtualClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileSql } from './support/file-sql.ts'
import { type Node, settle, startNode } from './support/node.ts'

const A = 'p/acme/a'
const B = 'p/acme/b'
const ADA = { by: 'ada', reason: 'it answers nonsense' }
const GRACE = { by: 'grace', reason: 'mended' }
const down = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the database is down')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'health-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = () => fileSql(join(folder, 'orders.db'))
const orders = async (): Promise<readonly unknown[]> =>
  (await open().query('SELECT deployment, disabled, decided_by, reason FROM switchyard_health_orders ORDER BY deployment')).rows

const times = async (): Promise<readonly number[]> =>
  (await open().query<{ at: number }>('SELECT at FROM switchyard_health_orders')).rows.map(({ at }) => at)

describe('after a restart of all nodes', () => {
  async function restarted(before: (node: Node) => Promise<void>): Promise<Node> {
    const first = await startNode({ sql: open() })
    await before(first)
    await first.started.close()
    return startNode({ sql: open() })
  }

  test('what a person disabled is out, and it says who and why', async () => {
    const node = await restarted((first) => first.health.disable(A, ADA))
    expect(node.health.of(A)).toMatchObject({ state: 'disabled', weight: 0, reason: ADA.reason })
    expect(node.health.history(A)).toMatchObject([{ to: 'disabled', by: 'ada' }])
    expect(node.health.of(B).state).toBe('healthy')
  })

  test('what was enabled again is not', async () => {
    const node = await restarted(async ({ health }) => {
      await health.disable(A, ADA)
      await health.disable(B, ADA)
      await health.enable(A, GRACE)
    })
    expect(node.health.list().map(({ deployment, state }) => [deployment, state])).toEqual([[B, 'disabled']])
    await node.health.enable(B, GRACE)
    expect(await orders()).toMatchObject([
      { deployment: A, disabled: 0, decided_by: 'grace', reason: 'mended' },
      { deployment: B, disabled: 0, decided_by: 'grace' },
    ])
  })

  test('without a database nothing is out', async () => {
    const first = await startNode()
    await first.health.disable(A, ADA)
    await first.started.close()
    expect((await startNode()).health.of(A).state).toBe('healthy')
  })
})

describe('the write comes first', () => {
  test('killed once it is written, before anyone knows: it holds', async () => {
    const sql = open()
    const node = await startNode({ sql })
    sql.gate = new Promise(() => {})
    void node.health.disable(A, ADA)
    await settle()
    expect(node.health.of(A).state).toBe('healthy')
    expect((await startNode({ sql: open() })).health.of(A).state).toBe('disabled')
  })

  test('it is there when disable resolves', async () => {
    const node = await startNode({ sql: open() })
    await node.health.disable(A, ADA)
    expect(await orders()).toMatchObject([{ deployment: A, disabled: 1, decided_by: 'ada', reason: ADA.reason }])
  })

  test.each(['disable', 'enable'] as const)('where it fails, %s rejects, nothing changes and nobody is told', async (what) => {
    const sql = open()
    const bus = processBus()
    const node = await startNode({ sql, bus })
    if (what === 'enable') await node.health.disable(A, ADA)
    const before = { health: node.health.of(A), history: node.health.history(A), sent: bus.sent.length, orders: await orders() }
    sql.fault = down
    await expect(node.health[what](A, GRACE)).rejects.toBe(down)
    await settle()
    expect({
      health: node.health.of(A),
      history: node.health.history(A),
      sent: bus.sent.length,
      orders: await orders(),
    }).toEqual(before)
    sql.fault = undefined
    await node.health[what](A, GRACE)
    expect(node.health.of(A).state).toBe(what === 'enable' ? 'healthy' : 'disabled')
  })
})

describe('the last who decides wins', () => {
  test('of two at once, here and in the database', async () => {
    const node = await startNode({ sql: open() })
    await Promise.all([node.health.disable(A, ADA), node.health.enable(A, GRACE)])
    expect(node.health.of(A).state).toBe('healthy')
    expect(await orders()).toMatchObject([{ disabled: 0 }])
    await Promise.all([node.health.enable(A, GRACE), node.health.disable(A, ADA)])
    expect(node.health.of(A).state).toBe('disabled')
    expect(await orders()).toMatchObject([{ disabled: 1 }])
  })

  test('also where a node’s clock is behind that of an earlier one', async () => {
    const ahead = virtualClock()
    await ahead.advance(3_600_000)
    const first = await startNode({ sql: open(), clock: ahead })
    await first.health.disable(A, ADA)
    await first.health.enable(A, GRACE)
    const [before] = await times()
    const second = await startNode({ sql: open(), clock: virtualClock() })
    await second.health.disable(A, ADA)
    expect(second.health.of(A).state).toBe('disabled')
    expect(await orders()).toMatchObject([{ disabled: 1 }])
    // Other nodes, who know the earlier one, take the later time.
    expect(await times()).toEqual([(before as number) + 1])
  })

  test('a decision that came by the bus while an earlier one was written holds', async () => {
    const sql = open()
    const bus = processBus()
    const clock = virtualClock()
    const [one, two] = [await startNode({ sql, bus, clock }), await startNode({ sql: open(), bus, clock })]
    const gate = Promise.withResolvers<void>()
    sql.gate = gate.promise
    const early = one.health.disable(A, ADA)
    await settle()
    await clock.advance(10)
    await two.health.enable(A, GRACE)
    await settle()
    gate.resolve()
    await early
    await settle()
    expect([one.health.of(A).state, two.health.of(A).state]).toEqual(['healthy', 'healthy'])
    // Not even for a moment.
    expect(one.changes()).toEqual([])
    expect(await orders()).toMatchObject([{ disabled: 0 }])
  })

  test('who is always overtaken is told to try again', async () => {
    const never = { ...open(), query: async () => ({ rows: [], rowCount: 0 }) } as SqlDatabase
    const node = await startNode({ sql: never })
    await expect(node.health.disable(A, ADA)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true })
    expect(node.health.of(A).state).toBe('healthy')
  })
})

test('other nodes hear by the bus, the database is read by those that start', async () => {
  const bus = processBus()
  const clock = virtualClock()
  const [one, two] = [await startNode({ sql: open(), bus, clock }), await startNode({ sql: open(), bus, clock })]
  await one.health.disable(A, ADA)
  await settle()
  expect(two.health.of(A)).toMatchObject({ state: 'disabled', reason: ADA.reason })
})

describe('a node does not start', () => {
  test('where the orders cannot be read', async () => {
    const sql = open()
    sql.fault = down
    await expect(startNode({ sql })).rejects.toBe(down)
  })

  test('on a database whose dialect is not known', async () => {
    const sql = fileSql(':memory:', 'mysql')
    await expect(startNode({ sql })).rejects.toMatchObject({ message: expect.stringContaining('sqlite or postgres') })
  })

  test('with less room than there are disabled deployments', async () => {
    const { health } = await startNode({ sql: open() })
    for (const name of [A, B]) await health.disable(name, ADA)
    const starting = startNode({ sql: open(), options: { maxDeployments: 1 } })
    await expect(starting).rejects.toMatchObject({ message: expect.stringContaining('maxDeployments') })
  })
})

test('of two nodes that make the table at once, one may be refused once', async () => {
  const sql = open()
  const { query } = sql
  let refusals = 1
  const contended: SqlDatabase = {
    ...sql,
    query: (text, params) =>
      text.startsWith('CREATE') && refusals-- > 0
        ? Promise.reject(new SwitchyardError('CONFLICT', 'pg_type'))
        : query(text, params),
  }
  const node = await startNode({ sql: contended })
  await node.health.disable(A, ADA)
  expect(node.health.of(A).state).toBe('disabled')
})

test('postgres gets its own placeholders', async () => {
  const asked: string[] = []
  const sql = open()
  const postgres = {
    ...sql,
    capabilities: { ...sql.capabilities, dialect: 'postgres' },
    query: async (text: string) => {
      asked.push(text)
      return { rows: text.startsWith('INSERT') ? [{ at: 1 }] : [], rowCount: 0 }
    },
  } as SqlDatabase
  await (await startNode({ sql: postgres })).health.disable(A, ADA)
  expect(asked.at(-1)).toContain('VALUES ($1, $2, $3, $4, $5, $6)')
})
