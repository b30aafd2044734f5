import { budget } from '@switchyard/budget'
import { sqlite } from '@switchyard/connector-sqlite'
import { rateLimit } from '@switchyard/rate-limit'
import { routing } from '@switchyard/routing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Answer, type CachedGateway, cachedGateway, fakePrices, KEY, OTHER_KEY, TRACE_KEY } from './support/cached.ts'
import { testGateway } from './support/gateway.ts'
import { type StubLikeness, stubLikeness } from './support/stub-likeness.ts'
import { stubProvider } from './support/stub-provider.ts'

let node: CachedGateway
let likeness: StubLikeness | undefined
afterEach(() => node.close())

const chat = (text: string, headers?: Record<string, string>, key?: string): Promise<Answer> =>
  node.ask('chat/completions', { model: 'chat/fake', messages: [{ role: 'user', content: text }] }, headers, key)
const invalidate = (body: object) => node.admin('POST', 'cache/invalidate', body)
const say = (body: object, key?: string): Promise<Answer> => node.ask('feedback', body, {}, key)

describe('POST /admin/cache/invalidate', () => {
  beforeEach(async () => {
    node = await cachedGateway()
  })

  test.each([
    [{}, 'tenant'],
    [{ tenant: 'acme', everything: true }, 'tenant'],
    [{ tenant: '' }, 'tenant'],
    [{ tenant: 7 }, 'tenant'],
    [{ tenant: 'acme', tag: ['a'] }, 'tag'],
    [{ tenant: 'acme', tags: 'a' }, 'tags'],
    [{ tenant: 'acme', tags: [] }, 'tags'],
    [{ tenant: 'acme', tags: [''] }, 'tags'],
    [{ tenant: 'acme', models: [1] }, 'models'],
    [{ tenant: 'acme', tables: ['t'] }, 'tables'],
    [{ target: 'db', tags: ['a'] }, 'tags'],
    [{ target: 'db', tables: [] }, 'tags'],
    [{ everything: true, models: ['x'] }, 'models'],
    [{ everything: false }, 'everything'],
    [{ everything: true, dryRun: true }, 'dryRun'],
    [{ everything: true, dry_run: 'yes' }, 'dry_run'],
    [{ tenant: 'acme', tags: Array.from({ length: 101 }, (_, n) => `t${n}`) }, 'tags'],
  ])('%j is refused, naming %s, and removes nothing', async (body, param) => {
    await chat('one')
    expect(await invalidate(body)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST', param } })
    expect((await chat('one')).cache).toBe('hit l1')
  })

  test.each([
    ['a tenant', { tenant: 'acme' }, 2, []],
    ['a tag', { tenant: 'acme', tags: ['doc:1'] }, 1, ['two']],
    ['a model', { tenant: 'acme', models: ['chat/fake'] }, 2, []],
    ['everything', { everything: true }, 2, []],
    ['another tenant', { tenant: 'other' }, 0, ['one', 'two']],
    ['another tenant’s tag', { tenant: 'other', tags: ['doc:1'] }, 0, ['one', 'two']],
    ['a tag that nobody gave', { tenant: 'acme', tags: ['doc:2'] }, 0, ['one', 'two']],
    ['a table', { target: 'db', tables: ['Orders'] }, 0, ['one', 'two']],
  ])('%s: what bears it is gone, and nothing else', async (_, what, count, left) => {
    const tag = { 'x-switchyard-cache-tags': 'doc:1' }
    await chat('one', tag)
    await chat('two')
    expect(await invalidate({ ...what, dry_run: true })).toMatchObject({
      status: 200,
      body: { object: 'cache_invalidation', count, exact: true, dry_run: true },
    })
    expect((await chat('one', tag)).cache).toBe('hit l1')
    const { body } = await invalidate(what)
    expect(body).toMatchObject({ count, exact: true, dry_run: false, tags: expect.any(Array) })
    const hits = []
    for (const [text, headers] of [
      ['one', tag],
      ['two', {}],
    ] as const)
      if ((await chat(text, headers)).cache.startsWith('hit')) hits.push(text)
    expect(hits).toEqual(left)
  })

  test('the log tells who, what and how many; a viewer, a virtual key and one of another class may not', async () => {
    await chat('one')
    await invalidate({ tenant: 'acme' })
    expect(node.logged().find(({ msg }) => msg === 'cache invalidation')).toMatchObject({ key: 'op', tenant: 'acme', count: 1 })
    expect(node.logged().find(({ msg }) => msg === 'stored replies were invalidated')).toMatchObject({ by: 'op' })
    const init = { method: 'POST', headers: { authorization: `Bearer ${KEY}` } }
    for (const path of ['invalidate', 'reject']) expect((await fetch(`${node.url}/admin/cache/${path}`, init)).status).toBe(403)
    expect((await fetch(`${node.url}/admin/cache`, { headers: init.headers })).status).toBe(403)
  })
})

describe('an answer that was wrong', () => {
  beforeEach(async () => {
    likeness = undefined
    node = await cachedGateway({ more: [routing(), sqlite({ path: ':memory:' })] })
  })

  test.each([{ score: 0.49 }, { correct: false }])('%j to feedback takes it out', async (verdict) => {
    await chat('one')
    const id = (await chat('one')).headers.get('x-request-id')
    const said = await say({ request_id: id, ...verdict })
    expect(said.status).toBe(200)
    expect(JSON.parse(said.text)).toMatchObject({ object: 'feedback', cache: 'rejected' })
    expect((await chat('one')).cache).toBe('miss')
  })

  test('praise, other tenants, and answers that came from upstream take nothing out', async () => {
    const fresh = (await chat('one')).headers.get('x-request-id')
    const id = (await chat('one')).headers.get('x-request-id')
    for (const body of [
      { request_id: id, score: 0.5 },
      { request_id: id, correct: true },
      { request_id: fresh, score: 0 },
      { request_id: 'req_of_nobody', score: 0 },
    ])
      expect(JSON.parse((await say(body)).text)).not.toHaveProperty('cache')
    expect((await chat('one')).cache).toBe('hit l1')
  })

  test('an operator takes it out by its tenant and id, once', async () => {
    await chat('one')
    const id = (await chat('one')).headers.get('x-request-id')
    const reject = (body: object) => node.admin('POST', 'cache/reject', body)
    expect(await reject({ tenant: 'other', request_id: id })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    expect(await reject({ tenant: 'acme', request_id: id, score: 1 })).toMatchObject({ status: 400, body: { param: 'score' } })
    expect(await reject({ tenant: 'acme' })).toMatchObject({ status: 400, body: { param: 'request_id' } })
    expect((await chat('one')).cache).toBe('hit l1')
    expect(await reject({ tenant: 'acme', request_id: id })).toEqual({
      status: 200,
      body: { object: 'cache_rejection', tenant: 'acme', request_id: id, rejected: true },
    })
    expect((await reject({ tenant: 'acme', request_id: id })).status).toBe(404)
    expect((await chat('one')).cache).toBe('miss')
  })
})

test('without anything that keeps feedback, the cache still hears it, and all else is refused as before', async () => {
  node = await cachedGateway()
  await chat('one')
  const id = (await chat('one')).headers.get('x-request-id')
  expect((await say({ request_id: id, score: 1 })).status).toBe(400)
  expect((await say({ request_id: 'req_of_nobody', score: 0 })).status).toBe(400)
  expect((await say({ request_id: id, score: 0 })).status).toBe(200)
  expect((await chat('one')).cache).toBe('miss')
})

describe('money, limits and likeness', () => {
  beforeEach(async () => {
    likeness = stubLikeness()
    const limits = [{ name: 'all', per: 'tenant', tokens: { count: 1_000, windowMs: 3_600_000 } } as const]
    node = await cachedGateway({
      more: [likeness.plugin, sqlite({ path: ':memory:' }), fakePrices(), budget({}), rateLimit({ limits })],
    })
  })

  test('a hit costs nothing, and is booked with what it saved', async () => {
    const fresh = await chat('one')
    expect(fresh.headers.get('x-switchyard-cost-usd')).toBe('0.000044')
    const hit = await chat('one')
    expect(hit.cache).toBe('hit l1')
    const { body } = await node.admin('GET', 'cache')
    expect(body.money).toMatchObject({ hits: 1, saved_usd: '0.000044', spent_usd: '0', net_usd: '0.000044', unpriced_hits: 0 })
    const { body: costs } = await node.admin('GET', 'costs?kind=cache')
    expect(costs.total).toMatchObject({ costUsd: '0', cacheHits: 1, cacheSavedUsd: '0.000044' })
  })

  test('a hit takes no tokens of a limit, and is served where a budget is used up', async () => {
    const left = ({ headers }: Answer): number => Number(headers.get('x-ratelimit-remaining-tokens'))
    await chat('one')
    // Held while the call is under way, so that the next one tells what was given back.
    const hits = [left(await chat('one')), left(await chat('one')), left(await chat('one'))]
    expect(new Set(hits).size).toBe(1)
    const fresh = [
      left(await chat('one', { 'cache-control': 'no-store' })),
      left(await chat('one', { 'cache-control': 'no-store' })),
    ]
    expect(fresh[1]).toBeLessThan(fresh[0] as number)
    await node.admin('PUT', 'budgets/none', { level: 'org', limitUsd: '0.00000001' })
    expect((await chat('one', { 'cache-control': 'no-store' })).status).toBe(429)
    expect(await chat('one')).toMatchObject({ status: 200, cache: 'hit l1' })
  })

  test('a hit by likeness that is audited saves time and no money; nobody is told that the audit went up', async () => {
    await chat('one')
    const alike = await chat('uno')
    expect(alike.cache).toBe('hit l3')
    expect(alike.headers.get('x-switchyard-attempts')).toBe('0')
    expect(alike.headers.get('x-switchyard-target')).toBeNull()
    expect(alike.headers.get('x-switchyard-cache-similarity')).toBeNull()
    await vi.waitFor(() => expect(likeness?.audited).toEqual(['You said: uno']))
    const { body } = await node.admin('GET', 'cache')
    expect(body.money).toMatchObject({
      hits: 1,
      saved_usd: '0.000044',
      spent: { audit: '0.000044', judge: '0', embedding: '0', refresh: '0' },
      net_usd: '0',
    })
    // Nobody is answered from what another's key asked, whatever the level finds.
    expect((await chat('one', {}, TRACE_KEY)).cache).toBe('miss')
    await chat('two', {}, TRACE_KEY)
    const seen = await chat('eins', {}, TRACE_KEY)
    expect(seen.cache).toBe('hit l3')
    for (const [name, value] of [
      ['similarity', '0.9000'],
      ['margin', '0.0500'],
      ['probability', '0.8000'],
    ] as const)
      expect(seen.headers.get(`x-switchyard-cache-${name}`)).toBe(value)
  })

  test('feedback takes a wrong one out of the index, with the question that it was wrong for', async () => {
    await chat('one')
    const id = (await chat('uno')).headers.get('x-request-id')
    expect(JSON.parse((await say({ request_id: id, correct: false })).text)).toMatchObject({ cache: 'rejected' })
    expect(likeness?.rejected).toMatchObject([{ question: 'uno' }])
  })

  test('the report sets hits beside what repeats allow, and errors beside their interval', async () => {
    await chat('one')
    await chat('one')
    await chat('one', {}, OTHER_KEY)
    await node.ask('chat/completions', { model: 'chat/fake', n: 2, messages: [{ role: 'user', content: 'x' }] })
    const { status, body } = await node.admin('GET', 'cache')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      object: 'cache_report',
      operations: {
        'model.invoke': {
          requests: 4,
          lookups: 3,
          hit_rate: expect.any(Number),
          levels: { l1: { hits: 1, share: 0.25 } },
          bypassed: 1,
          bypasses: { 'many-answers': 1 },
          distinct: 2,
          repeat_ceiling: 0.25,
        },
      },
      likeness: [
        {
          hit_rate: 0.25,
          ceiling: 0.5,
          audits: 40,
          failed_audits: 1,
          error_of_all: { share: 0.00625, low: 0.001, high: 0.03 },
          error_of_hits: { share: 0.025 },
        },
      ],
      store: { is_away: false, owed_deletions: 0 },
      under_way: 0,
      money: { saved_rows: expect.stringContaining('kind=cache'), spent_rows: expect.stringContaining('purpose=audit') },
    })
  })

  test.each(['from=soon', 'tenant=acme', 'limit=1'])('a report by %s is a 400', async (query) => {
    expect((await node.admin('GET', `cache?${query}`)).status).toBe(400)
  })

  test('money is of the range that was asked for', async () => {
    await chat('one')
    await chat('one')
    const { body } = await node.admin('GET', 'cache?from=2020-01-01&to=2020-02-01')
    expect(body.money).toMatchObject({
      from: '2020-01-01T00:00:00.000Z',
      to: '2020-02-01T00:00:00.000Z',
      hits: 0,
      net_usd: '0',
    })
  })
})

test('without a cache each route says what to add', async () => {
  const bare = await testGateway([stubProvider({ name: 'own' })])
  node = { close: async () => {} } as CachedGateway
  try {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"tenant":"a","request_id":"r"}' }
    for (const [path, how] of [
      ['', {}],
      ['/reject', init],
      ['/invalidate', { ...init, body: '{"everything":true}' }],
    ] as const) {
      const reply = await fetch(`${bare.url}/admin/cache${path}`, how)
      expect(reply.status).toBe(404)
      expect(await reply.json()).toMatchObject({ detail: expect.stringContaining('@switchyard/cache') })
    }
  } finally {
    await bare.close()
  }
})
