import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { feedbackLines } from '../src/feedback/feedback-lines.ts'
import { feedbackStore } from '../src/feedback/feedback-store.ts'
import type { Feedback, FeedbackRow } from '../src/feedback/port.ts'
import { RecentCalls } from '../src/feedback/recent-calls.ts'
import { parseDatasetSpec, parseOutcomes } from '../src/learned/index.ts'
import { memorySql } from './support/memory-sql.ts'

const clock = virtualClock(1_000)
const recentOf = (id: string, tenant: string): RecentCalls => {
  const recent = new RecentCalls(2)
  recent.note(id, { tenant, route: 'r', taskClass: 'label', arm: 'p/a', model: 'p/a' })
  return recent
}
const storeOn = (sql: SqlDatabase | undefined, recent = new RecentCalls(2)): Feedback => feedbackStore({ sql, recent, clock })
const said = { tenant: 'acme', keyId: 'k', requestId: 'r1', score: 1 }

describe('the store of feedback', () => {
  test('refuses without a database, on mysql, and of tables that it does not know', async () => {
    await expect(storeOn(undefined).submit(said)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(storeOn(memorySql('mysql')).rows({ tenant: 'acme' })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const sql = memorySql()
    await storeOn(sql).submit(said)
    await sql.query('UPDATE switchyard_feedback_version SET version = 9')
    await expect(storeOn(sql).submit(said)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /version 9/ })
  })

  test.each([
    [{ score: Number.NaN }, 'score'],
    [{ score: -0.1 }, 'score'],
    [{ score: 1.1 }, 'score'],
    [{ requestId: '' }, 'request_id'],
    [{ requestId: 'x'.repeat(201) }, 'request_id'],
  ])('refuses %j before it asks the database', async (wrong, param) => {
    const sql = memorySql()
    await expect(storeOn(sql).submit({ ...said, ...wrong })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { param },
    })
    expect(sql.asked).toEqual([])
  })

  test('never touches what another tenant was answered', async () => {
    const sql = memorySql()
    const recent = recentOf('r1', 'other')
    const store = storeOn(sql, recent)
    await store.submit(said)
    expect(await store.rows({ tenant: 'acme' })).toMatchObject([{ requestId: 'r1', arm: null, model: null }])
    expect(await store.rows({ tenant: 'other' })).toEqual([])
  })

  test('of two tenants that chose one id each labels its own answer', async () => {
    const recent = recentOf('r1', 'acme')
    recent.note('r1', { tenant: 'other', route: 'r', taskClass: 'chat', arm: 'p/b', model: 'p/b' })
    const store = storeOn(memorySql(), recent)
    await store.submit(said)
    expect(await store.rows({ tenant: 'acme' })).toMatchObject([{ arm: 'p/a' }])
  })

  test('tries again where the tables could not be made', async () => {
    const sql = memorySql()
    sql.fault = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'gone')
    const store = storeOn(sql)
    await expect(store.submit(said)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    sql.fault = undefined
    await store.submit(said)
    expect(await store.rows({ tenant: 'acme' })).toHaveLength(1)
  })

  test.each(['sqlite', 'postgres'] as const)('in the words of %s keeps the last word and what was known', async (dialect) => {
    const sql = memorySql(dialect)
    const store = storeOn(sql, recentOf('r1', 'acme'))
    await store.submit({ ...said, comment: 'x'.repeat(2_000) })
    await storeOn(sql).submit({ ...said, score: 0, keyId: 'k2' })
    await store.submit({ ...said, requestId: 'r2', score: 0.5 })
    await store.submit({ ...said, tenant: 'other', requestId: 'r3' })
    const rows = await store.rows({ tenant: 'acme' })
    expect(rows).toMatchObject([
      { requestId: 'r1', score: 0, keyId: 'k2', comment: null, route: 'r', arm: 'p/a', model: 'p/a', at: 1_000 },
      { requestId: 'r2', score: 0.5, route: null },
    ])
    expect(await store.rows({ tenant: 'acme', after: 'r1' })).toHaveLength(1)
    expect(await store.rows({ tenant: 'acme', limit: 1 })).toHaveLength(1)
    expect(sql.asked.some((text) => text.includes(dialect === 'postgres' ? '$10' : '?'))).toBe(true)
  })

  test('remembers so many calls and no more', () => {
    const recent = recentOf('a', 'acme')
    recent.note('b', { tenant: 'acme', route: undefined, taskClass: 'chat', arm: undefined, model: 'p/b' })
    recent.note('c', { tenant: 'acme', route: undefined, taskClass: 'chat', arm: undefined, model: 'p/b' })
    expect([recent.get('acme', 'a'), recent.get('acme', 'b')?.model, recent.get('acme', 'c')?.model]).toEqual([
      undefined,
      'p/b',
      'p/b',
    ])
    const none = new RecentCalls(0)
    none.note('a', { tenant: 'acme', route: undefined, taskClass: 'chat', arm: undefined, model: 'p/b' })
    expect(none.get('acme', 'a')).toBeUndefined()
  })
})

test('lines of the fit are made with prompts that the gateway never had', () => {
  const row = (requestId: string, model: string | null, score: number, arm: string | null = null): FeedbackRow => ({
    tenant: 'acme',
    requestId,
    at: 0,
    keyId: 'k',
    score,
    comment: null,
    route: null,
    taskClass: null,
    arm,
    model,
  })
  const prompts: Record<string, string> = { a: 'one', b: 'one', c: 'two', d: 'three', e: 'four' }
  const rows = [row('a', 'p/x', 1), row('b', 'p/y', 0), row('c', null, 1), row('d', 'p/x', 1, 'agree(p/x, p/y) -> p/z')]
  const lines = feedbackLines([...rows, row('lost', 'p/x', 1), row('e', 'p/x', 0.5, 'p/x')], (id) => prompts[id])
  const spec = parseDatasetSpec('f', { prices: { 'p/x': [1, 1], 'p/y': [1, 1] } })
  const read = parseOutcomes('f', spec, lines).rows
  expect(
    read.map(({ id, prompt, outcomes }) => [id, prompt, [...outcomes].map(([model, { score }]) => [model, score])]),
  ).toEqual([
    [
      'a',
      'one',
      [
        ['p/x', 1],
        ['p/y', 0],
      ],
    ],
    ['e', 'four', [['p/x', 0.5]]],
  ])
})
