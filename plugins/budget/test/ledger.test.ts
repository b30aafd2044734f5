import { SwitchyardError } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { AT, attemptIds, COLUMNS, idFloor, type Row } from '../src/ledger/columns.ts'
import { dialectOf, migrate } from '../src/ledger/schema.ts'
import { insertText } from '../src/ledger/statements.ts'
import { LedgerWriter } from '../src/ledger/writer.ts'
import { testSqlite } from './support/sqlite.ts'
import { callOf, rejection, startWorld, type World } from './support/world.ts'

let world: World | undefined
afterEach(() => world?.plugin.close())

function rowOf(id: string, changes: Readonly<Record<string, string | number | null>> = {}): Row {
  const row: (string | number | null)[] = new Array(COLUMNS.length).fill(null)
  const all = {
    attempt_id: id,
    call_id: 'c',
    at_ms: 1,
    tenant: 't',
    key_id: 'k',
    model: 'm',
    kind: 'attempt',
    charged_nusd: 1,
    ...changes,
  }
  for (const [name, value] of Object.entries(all)) row[AT[name as keyof typeof AT]] = value
  return row
}

async function writerOf() {
  const database = testSqlite()
  await migrate(database, 'sqlite')
  const clock = virtualClock()
  const log = recordingLogger()
  const writer = new LedgerWriter({ database, dialect: 'sqlite', clock, log })
  const count = async (): Promise<unknown> => (await database.query('SELECT COUNT(*) AS n FROM switchyard_ledger')).rows[0]
  return { database, clock, log, writer, count }
}

describe('the writer', () => {
  test('writes 256 rows at once, others after a tenth of a second', async () => {
    const { writer, count, clock, database } = await writerOf()
    for (let index = 0; index < 300; index++) writer.add(rowOf(`r${index}`))
    await clock.advance(0)
    expect(await count()).toEqual({ n: 256 })
    await clock.advance(99)
    expect(await count()).toEqual({ n: 256 })
    await clock.advance(1)
    expect(await count()).toEqual({ n: 300 })
    expect(database.statements.filter((text) => text.startsWith('INSERT INTO switchyard_ledger')).length).toBeLessThan(12)
  })

  test('keeps every row while the table lacks what it should have, though the database calls that a bad request', async () => {
    const { database, writer, count, clock, log } = await writerOf()
    await database.query('ALTER TABLE switchyard_ledger RENAME COLUMN usage TO used')
    for (let index = 0; index < 3; index++) writer.add(rowOf(`r${index}`))
    await rejection(writer.flush())
    expect(writer.waiting).toBe(3)
    expect(log.records.some(({ message }) => message?.includes('by hand'))).toBe(false)
    await database.query('ALTER TABLE switchyard_ledger RENAME COLUMN used TO usage')
    await clock.advance(10_000)
    expect(await count()).toEqual({ n: 3 })
  })

  test('books an attempt once, however often it is given', async () => {
    const { writer, count } = await writerOf()
    for (let index = 0; index < 5; index++) writer.add(rowOf('same'))
    await writer.flush()
    writer.add(rowOf('same'))
    await writer.flush()
    expect(await count()).toEqual({ n: 1 })
  })

  test('what came late is an adjusting row, once, and a late unsettled one nothing', async () => {
    const { writer, database } = await writerOf()
    writer.add(rowOf('a', { kind: 'unsettled', cost_pusd: 500, charged_nusd: 5 }))
    await writer.flush()
    for (let index = 0; index < 2; index++) {
      writer.add(rowOf('a', { cost_pusd: 200, charged_nusd: 2 }))
      writer.add(rowOf('b', { cost_pusd: 7 }))
      await writer.flush()
    }
    writer.add(rowOf('b', { kind: 'unsettled', cost_pusd: 900 }))
    await writer.flush()
    const { rows } = await database.query(
      'SELECT attempt_id, kind, cost_pusd, charged_nusd, adjusts FROM switchyard_ledger ORDER BY 1',
    )
    expect(rows).toEqual([
      { attempt_id: 'a', kind: 'unsettled', cost_pusd: 500, charged_nusd: 5, adjusts: null },
      { attempt_id: 'a~late', kind: 'adjustment', cost_pusd: -300, charged_nusd: -3, adjusts: 'a' },
      { attempt_id: 'b', kind: 'attempt', cost_pusd: 7, charged_nusd: 1, adjusts: null },
    ])
  })

  test('keeps what the database would not take, in order, and says so once', async () => {
    const { writer, database, count, clock, log } = await writerOf()
    database.failure = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
    const booked: string[] = []
    for (const id of ['a', 'b']) writer.add(rowOf(id), () => booked.push(id))
    await clock.advance(5_000)
    expect(writer.failure).toBeDefined()
    expect(booked).toEqual([])
    expect(await rejection(writer.flush())).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    database.failure = undefined
    await clock.advance(10_000)
    expect([booked, await count(), writer.failure]).toEqual([['a', 'b'], { n: 2 }, undefined])
    expect(log.records.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  test('one row that cannot be does not keep out the others', async () => {
    const { writer, count, log } = await writerOf()
    const booked: string[] = []
    for (const id of ['a', 'bad', 'c']) writer.add(rowOf(id, id === 'bad' ? { tenant: null } : {}), () => booked.push(id))
    await writer.flush()
    expect([booked, await count()]).toEqual([['a', 'c'], { n: 2 }])
    expect(log.records.some(({ message }) => message?.includes('refuses a row'))).toBe(true)
  })
})

describe('ids of attempts', () => {
  test('are unique, in the order of time, and bounded by the floor of their millisecond', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 ** 13 }), { minLength: 2, maxLength: 50 }), (times) => {
        const next = attemptIds(() => 0.5)
        const ids = times.map(next)
        expect(new Set(ids).size).toBe(ids.length)
        for (const [index, id] of ids.entries()) {
          const at = times[index] as number
          expect(id >= idFloor(at) && id < idFloor(at + 1)).toBe(true)
        }
      }),
    )
  })
})

describe('the tables', () => {
  test('are made once by many, and refused where a newer version made them', async () => {
    const database = testSqlite()
    await Promise.all([migrate(database, 'sqlite'), migrate(database, 'sqlite')])
    await migrate(database, 'sqlite')
    await database.query('UPDATE switchyard_schema SET version = 99')
    expect(await rejection(migrate(database, 'sqlite'))).toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('of a dialect that the ledger does not speak are refused', () => {
    expect(() => dialectOf({ capabilities: { dialect: 'mysql' } } as never)).toThrow(/sqlite or postgres/)
  })

  test('statements have the placeholders of their dialect', () => {
    expect(insertText('sqlite', 1)).toContain('VALUES (?, ?')
    const width = COLUMNS.length
    expect(insertText('postgres', 4)).toContain(`($${width + 1}, `)
    expect(insertText('postgres', 4)).toContain(`$${4 * width})`)
  })
})

describe('rows', () => {
  test('are found by what they are of, in pages', async () => {
    world = await startWorld()
    const before = world.clock.now()
    await world.send(callOf({ principal: { team: 'red' } }))
    await world.clock.advance(1_000)
    await world.send(callOf({ attributes: { session: 's' }, model: 'acme/strong' }))
    await world.rows()
    const models = async (query: Parameters<World['ledger']['rows']>[0]): Promise<readonly unknown[]> =>
      (await (world as World).ledger.rows(query)).map(({ model }) => model)
    expect(await models({ team: 'red', tenant: 'acme', keyId: 'key-1', user: 'ann' })).toEqual(['acme/m'])
    expect(await models({ session: 's' })).toEqual(['acme/strong'])
    expect(await models({ model: 'acme/m', provider: 'acme', callId: 'call-1', kinds: ['attempt'] })).toEqual(['acme/m'])
    expect(await models({ to: before + 1 })).toEqual(['acme/m'])
    expect(await models({ from: before + 1 })).toEqual(['acme/strong'])
    const [first] = await world.ledger.rows({ limit: 1 })
    expect(await models({ after: first?.attempt_id as string })).toEqual(['acme/strong'])
    expect(await models({ tenant: 'other' })).toEqual([])
  })
})
