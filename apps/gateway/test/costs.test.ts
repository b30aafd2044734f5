import { postgres } from '@switchyard/connector-postgres'
import { sqlite } from '@switchyard/connector-sqlite'
import { type Plugin, sql } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { notRunLine, postgresForTests } from '../../../scripts/services/index.ts'
import { booksOn, uniqueName } from './support/books.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'

const server = await postgresForTests()

const KEYS = [
  { key: 'sk-blue', tenant: 'acme', id: 'blue', team: 'blue' },
  { key: 'sk-red', tenant: 'acme', id: 'red', team: '=red' },
  { key: 'sk-admin', tenant: 'ops', id: 'ops', roles: ['admin'] },
]
/** 400 x 2 + 100 x 0.2 + 400 x 10 micro-USD. */
const CALL_USD = '0.00482'
const CENT = { name: 'cent', level: 'team', limitUsd: '0.01', timeZone: 'UTC' } as const

let gateway: TestGateway | undefined
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
})

type Json = Record<string, unknown> & { readonly data: readonly Record<string, unknown>[] }

async function start(
  database: Plugin = sqlite({ path: ':memory:' }),
  budgets: Parameters<typeof booksOn>[1] = {},
): Promise<void> {
  gateway = await testGateway(booksOn(database, budgets), { auth: { keys: KEYS } })
}

function chat(key = 'sk-blue', more: object = {}, path = 'chat/completions'): Promise<Response> {
  const body = JSON.stringify({ model: 'own/x', max_tokens: 400, messages: [{ role: 'user', content: 'hi' }], ...more })
  return fetch(`${gateway?.url}/v1/${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })
}

function admin(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: 'Bearer sk-admin', 'content-type': 'application/json' }
  return fetch(path.startsWith('http') ? path : `${gateway?.url}${path}`, { ...init, headers })
}

async function json(path: string): Promise<Json> {
  const reply = await admin(path)
  expect(reply.status, await reply.clone().text()).toBe(200)
  return (await reply.json()) as Json
}

describe('a budget of one cent', () => {
  test('is told of, used up, and refused with what, how much and until when', async () => {
    await start(undefined, { budgets: [CENT] })
    const first = await chat()
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-switchyard-cost-usd': CALL_USD,
      'x-switchyard-budget': 'cent',
      'x-switchyard-budget-remaining-usd': '0.00518',
    })
    expect((await chat()).status).toBe(200)
    const refused = await chat()
    expect(refused.status).toBe(429)
    const month = new Date()
    const resetsAt = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1)).toISOString()
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'x-should-retry': 'false',
      'x-switchyard-budget': 'cent',
      'x-switchyard-budget-remaining-usd': '0.00036',
      'x-switchyard-budget-resets-at': resetsAt,
    })
    expect(refused.headers.has('retry-after')).toBe(false)
    expect(await refused.json()).toMatchObject({
      error: {
        code: 'insufficient_quota',
        message: expect.stringMatching(/the budget "cent" of team "blue" has 0\.00036 USD left of 0\.01/),
        budget: { name: 'cent', level: 'team', limitUsd: '0.01', availableUsd: '0.00036', resetsAt },
      },
    })
    expect((await chat('sk-red')).status).toBe(200)
    expect(await json('/admin/costs?team=blue')).toMatchObject({
      total: { costUsd: '0.00964', costMicroUsd: 9_640, attempts: 2 },
    })
  })

  test("throws the error of OpenAI's SDK that it does not try again", async () => {
    await start(undefined, { budgets: [{ ...CENT, limitUsd: '0.001' }] })
    let asked = 0
    const counting: typeof fetch = (...args) => {
      asked += 1
      return fetch(...args)
    }
    const sdk = new OpenAI({ baseURL: `${gateway?.url}/v1`, apiKey: 'sk-blue', maxRetries: 3, fetch: counting })
    const error = await sdk.chat.completions
      .create({ model: 'own/x', max_tokens: 400, messages: [{ role: 'user', content: 'hi' }] })
      .catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect([asked, (error as InstanceType<typeof OpenAI.RateLimitError>).code]).toEqual([1, 'insufficient_quota'])
  })
})

describe.each(['sqlite', 'postgres'] as const)('on %s', (kind) => {
  const schema = uniqueName('costs')
  let database: () => Plugin
  beforeEach(async (context) => {
    database = () => sqlite({ path: ':memory:' })
    if (kind === 'sqlite') return
    if (server.status !== 'ready') return context.skip(notRunLine(server))
    const { url } = server
    database = () => postgres({ url, searchPath: [schema] })
    await using kernel = await startKernel({ plugins: [postgres({ url })] })
    await kernel.get(sql).query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  })
  afterEach(async () => {
    await gateway?.close()
    gateway = undefined
    if (kind === 'sqlite' || server.status !== 'ready') return
    await using kernel = await startKernel({ plugins: [postgres({ url: server.url })] })
    await kernel.get(sql).query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  })
  const open = (): Promise<void> => start(database())

  test('costs are those of the prices, by group, and each figure leads to its rows', async () => {
    await open()
    await chat('sk-blue', { metadata: { project: 'apollo' } })
    await chat('sk-blue')
    await chat('sk-red')
    const report = await json('/admin/costs?group=team,day,tag:project&timeZone=Europe/Berlin')
    expect(report).toMatchObject({ object: 'cost_report', groupCount: 3, page: 1, nextPage: null })
    expect(report.total).toMatchObject({
      costUsd: '0.01446',
      costMicroUsd: 14_460,
      attempts: 3,
      inputTokens: 1_500,
      outputTokens: 1_200,
      unpriced: 0,
    })
    const today = new Date().toLocaleDateString('sv', { timeZone: 'Europe/Berlin' })
    expect(report.data.map(({ team, 'tag:project': project, costUsd, day }) => [team, project, costUsd, day])).toEqual(
      expect.arrayContaining([
        ['blue', 'apollo', CALL_USD, today],
        ['blue', null, CALL_USD, today],
        ['=red', null, CALL_USD, today],
      ]),
    )
    for (const { rows, attempts } of report.data) {
      const found = await json(String(rows))
      expect(found.data).toHaveLength(Number(attempts))
      expect(found.data[0]).toMatchObject({ cost_pusd: 4_820_000_000, model: 'own/x', price_row: 'standard/*' })
    }
    const paged = await json('/admin/costs?group=team&limit=1')
    expect([paged.nextPage, paged.data[0]?.team]).toEqual([2, 'blue'])
    expect((await json('/admin/costs?group=team&limit=1&page=2')).data[0]?.team).toBe('=red')
    expect(await json('/admin/costs?team=%3Dred')).toMatchObject({ total: { attempts: 1 } })
  })

  test('rows come by pages', async () => {
    await open()
    for (let count = 0; count < 3; count++) await chat()
    const first = await json('/admin/costs/rows?limit=2')
    expect(first.data).toHaveLength(2)
    const second = await json(`/admin/costs/rows?limit=2&cursor=${first.nextCursor}`)
    expect([second.data.length, second.nextCursor]).toEqual([1, null])
  })

  test('as CSV and by the columns of FOCUS, whose costs add up to the same', async () => {
    await open()
    await chat('sk-blue')
    await chat('sk-red')
    const csv = await admin('/admin/costs?group=team&format=csv')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="costs.csv"')
    const lines = (await csv.text()).trimEnd().split('\r\n')
    expect(lines[0]).toMatch(/^team,cost_usd,/)
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 2))).toEqual(
      expect.arrayContaining([
        ['blue', CALL_USD],
        ["'=red", CALL_USD],
      ]),
    )
    const focus = (await (await admin('/admin/costs?format=focus')).text()).trimEnd().split('\r\n')
    const head = focus[0]?.split(',') ?? []
    const billed = focus.slice(1).map((line) => Number(line.split(',')[head.indexOf('BilledCost')]))
    // Input, cached input and output, for two keys.
    expect(billed).toHaveLength(6)
    expect(billed.reduce((a, b) => a + b, 0)).toBeCloseTo(0.00964, 12)
  })

  test('forecast, anomalies and savings answer', async () => {
    await open()
    await chat()
    await admin('/admin/budgets/all', { method: 'PUT', body: JSON.stringify({ level: 'org', limitUsd: '1' }) })
    const forecast = await json('/admin/costs/forecast')
    expect(forecast.month).toMatchObject({ method: 'run-rate', spentUsd: 0.00482 })
    expect(await json('/admin/costs/anomalies?by=team')).toEqual({ object: 'list', data: [] })
    expect(await json('/admin/costs/savings')).toMatchObject({
      measured: [],
      modelled: { actualUsd: CALL_USD, savedUsd: '0', calls: 1, unmodelled: 0, levers: { routing: '0', residual: '0' } },
    })
  })
})

describe('budgets by the admin API', () => {
  test('come, change, hold, and go', async () => {
    await start()
    expect(await json('/admin/budgets')).toEqual({ object: 'list', data: [] })
    const put = (limitUsd: string): Promise<Response> =>
      admin('/admin/budgets/small', { method: 'PUT', body: JSON.stringify({ level: 'team', match: 'blue', limitUsd }) })
    expect((await put('0.001')).status).toBe(201)
    expect((await chat()).status).toBe(429)
    const changed = await put('1')
    expect([changed.status, await changed.json()]).toEqual([
      200,
      expect.objectContaining({ name: 'small', limitUsd: '1', window: 'month', source: 'admin' }),
    ])
    expect((await chat()).status).toBe(200)
    expect((await admin('/admin/budgets/small', { method: 'DELETE' })).status).toBe(200)
    expect((await admin('/admin/budgets/small', { method: 'DELETE' })).status).toBe(404)
    expect((await admin('/admin/budgets/small')).status).toBe(404)
  })

  test('do not touch those of the configuration, and say what is wrong', async () => {
    await start(undefined, { budgets: [CENT] })
    const put = async (name: string, body: object): Promise<unknown> => {
      const reply = await admin(`/admin/budgets/${name}`, { method: 'PUT', body: JSON.stringify(body) })
      return [reply.status, await reply.json()]
    }
    expect(await json('/admin/budgets/cent')).toMatchObject({ source: 'configuration' })
    expect(await put('cent', { level: 'team', limitUsd: '5' })).toEqual([409, expect.objectContaining({ code: 'CONFLICT' })])
    expect(await put('x', { level: 'galaxy', limitUsd: '5' })).toEqual([
      400,
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    ])
    expect(await put('x', { name: 'y', level: 'team', limitUsd: '5' })).toEqual([
      400,
      expect.objectContaining({ param: 'name' }),
    ])
  })
})

describe('refusals', () => {
  test.each([
    ['/admin/costs?group=colour', 'group'],
    ['/admin/costs?colour=red', 'colour'],
    ['/admin/costs?from=soon', 'from'],
    ['/admin/costs?timeZone=Mars', 'timeZone'],
    ['/admin/costs?format=xml', 'format'],
    ['/admin/costs?limit=0', 'limit'],
    ['/admin/costs?from=2026-02-01&to=2026-01-01', 'from'],
    ['/admin/costs/forecast?from=2026-01-01', 'from'],
    ['/admin/costs/anomalies?by=day', 'by'],
    ['/admin/costs/anomalies?floorUsd=x', 'floorUsd'],
  ])('%s names %s', async (path, param) => {
    await start()
    const reply = await admin(path)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
    expect(await reply.json()).toMatchObject({ param })
  })

  test('a key that does not administer, and an assembly without books', async () => {
    await start()
    const reply = await fetch(`${gateway?.url}/admin/costs`, { headers: { authorization: 'Bearer sk-blue' } })
    expect(reply.status).toBe(403)
    await gateway?.close()
    gateway = await testGateway([], { auth: { keys: KEYS } })
    expect((await admin('/admin/costs')).status).toBe(404)
    expect((await admin('/admin/budgets')).status).toBe(404)
  })
})
