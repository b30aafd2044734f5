import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { entryOf, testCatalog } from './support/catalog.ts'
import { sumOf } from './support/sums.ts'
import { type Asked, callOf, endingOf, rejection, replyOf, startWorld, traceOf, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

const TEAM = { name: 'team', level: 'team', limitUsd: 1 } as const

describe('an attempt without a budget', () => {
  test('is booked exactly and asks no counter', async () => {
    world = await startWorld()
    await world.send(callOf(), async () => replyOf(endingOf({ inputTokens: 12, outputTokens: 7, cacheReadTokens: 4 })))
    const [row, ...others] = await world.rows()
    expect(others).toEqual([])
    expect(row).toMatchObject({
      call_id: 'call-1',
      tenant: 'acme',
      team: 'blue',
      key_id: 'key-1',
      user_id: 'ann',
      provider: 'acme',
      model: 'acme/m',
      endpoint: 'chat/completions',
      stream: 0,
      kind: 'attempt',
      outcome: 'complete',
      usage_source: 'reported',
      input_tokens: 12,
      output_tokens: 7,
      // 8 x 2,000,000 + 4 x 200,000 + 7 x 10,000,000
      cost_pusd: 86_800_000,
      cost_uusd: 87,
      charged_nusd: 86_800,
      cost_parts: '{"input":[8,2000000],"cacheRead":[4,200000],"output":[7,10000000]}',
      catalog_version: 'test-1',
      price_row: 'standard/*',
    })
    expect(world.counters.calls).toEqual({ reserve: 0, settle: 0, renew: 0, read: 0 })
  })

  test('that fails before any byte is booked at nothing', async () => {
    world = await startWorld()
    const gone = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody there', { details: { sent: false } })
    expect(await rejection(world.send(callOf(), () => Promise.reject(gone)))).toBe(gone)
    expect(await world.rows()).toMatchObject([{ outcome: 'error', usage_source: 'none', cost_pusd: 0, charged_nusd: 0 }])
  })

  test('that fails with a usage is booked at it', async () => {
    world = await startWorld()
    const details = { sent: true, usage: { inputTokens: 3, outputTokens: 0 } }
    await rejection(world.send(callOf(), () => Promise.reject(new SwitchyardError('UPSTREAM_INVALID', 'garbage', { details }))))
    expect(await world.rows()).toMatchObject([{ outcome: 'error', usage_source: 'reported', cost_pusd: 6_000_000 }])
  })

  test('two attempts whose replies bear one id are two rows, and each pass is one', async () => {
    world = await startWorld()
    const trace = traceOf()
    await world.send(callOf({ trace }))
    await world.send(callOf({ trace, attempt: 2 }))
    expect((await world.rows()).map(({ call_id: id, attempt_no: no }) => [id, no])).toEqual([
      ['call-1', 1],
      ['call-1', 2],
    ])
  })

  test('says for what it was made, and what its baseline would have cost', async () => {
    world = await startWorld()
    const attributes = {
      purpose: 'shadow',
      session: 's-1',
      route: 'fast',
      taskClass: 'math',
      arm: 'cheap',
      control: false,
      baseline: 'acme/strong',
    } as const
    await world.send(callOf({ attributes, body: { metadata: { project: 'x', n: 3, odd: { a: 1 } } } }))
    expect(await world.rows()).toMatchObject([
      {
        purpose: 'shadow',
        session: 's-1',
        route: 'fast',
        task_class: 'math',
        arm: 'cheap',
        control: 0,
        tags: '{"project":"x","n":"3"}',
        baseline_model: 'acme/strong',
        baseline_pusd: 700_000_000,
        saved_pusd: 630_000_000,
        saved_by: 'routing',
      },
    ])
  })

  test('a negative saving is negative', async () => {
    world = await startWorld()
    await world.send(callOf({ model: 'acme/strong', attributes: { baseline: 'acme/m' } }))
    expect(await world.rows()).toMatchObject([{ saved_pusd: -630_000_000 }])
  })

  test('text that no database takes is mended, not lost', async () => {
    world = await startWorld()
    await world.send(callOf({ attributes: { session: 'a\u0000b\ud800' } }))
    expect(await world.rows()).toMatchObject([{ session: 'ab\ufffd' }])
  })
})

/** Cost in pico-USD, worked by hand from the prices of `acme/m`. */
const USAGES: readonly [string, Partial<ModelEnding['usage']>, Partial<ModelEnding>, Asked, number][] = [
  ['plain', {}, {}, {}, 10 * 2_000_000 + 5 * 10_000_000],
  ['cached tokens once', { inputTokens: 10, cacheReadTokens: 10 }, {}, {}, 10 * 200_000 + 5 * 10_000_000],
  ['writes for five minutes', { cacheWriteTokens: 10 }, {}, {}, 10 * 2_500_000 + 50_000_000],
  ['writes for an hour', { cacheWriteTokens: 10, cacheWrite1hTokens: 10 }, {}, {}, 10 * 4_000_000 + 50_000_000],
  ['reads and writes together', { cacheReadTokens: 4, cacheWriteTokens: 6 }, {}, {}, 4 * 200_000 + 6 * 2_500_000 + 50_000_000],
  ['reasoning within output', { reasoningTokens: 3 }, {}, {}, 70_000_000],
  ['audio both ways', { audioInputTokens: 10, audioOutputTokens: 5 }, {}, {}, 10 * 40_000_000 + 5 * 80_000_000],
  ['beyond a context step, all of it', { inputTokens: 100_001 }, {}, {}, 100_001 * 4_000_000 + 5 * 20_000_000],
  ['at a context step', { inputTokens: 100_000 }, {}, {}, 100_000 * 2_000_000 + 50_000_000],
  ['priority', {}, {}, { body: { service_tier: 'priority' } }, 10 * 4_000_000 + 5 * 20_000_000],
  ['priority that was not granted', {}, { serviceTier: 'default' }, { body: { service_tier: 'priority' } }, 70_000_000],
  ['priority that nobody asked for', {}, { serviceTier: 'priority' }, {}, 140_000_000],
  ['a cheaper tier that the reply does not grant', {}, {}, { body: { service_tier: 'flex' } }, 70_000_000],
  ['batch in a call', {}, {}, { body: { service_tier: 'batch' } }, 70_000_000],
  ['a cheaper tier that it grants', {}, { serviceTier: 'flex' }, { body: { service_tier: 'flex' } }, 35_000_000],
  ['reported zero', { inputTokens: 0, outputTokens: 0 }, {}, {}, 0],
  ['a cut stream', { outputTokens: 2 }, { outcome: 'truncated', usageSource: 'estimated' }, { stream: true }, 40_000_000],
  ['a client that left', { outputTokens: 1 }, { outcome: 'aborted', usageSource: 'estimated' }, { stream: true }, 30_000_000],
]

describe('a settled cost is exact', () => {
  test.each(USAGES)('%s', async (_name, usage, more, asked, pico) => {
    world = await startWorld({ budgets: [TEAM] })
    const reply = replyOf(endingOf(usage, more), asked.stream)
    await world.send(callOf(asked), async () => reply)
    const nano = BigInt(Math.ceil(pico / 1_000))
    expect(await world.rows()).toMatchObject([
      {
        cost_pusd: pico,
        charged_nusd: Number(nano),
        outcome: more.outcome ?? 'complete',
        usage_source: more.usageSource ?? 'reported',
      },
    ])
    expect(await sumOf(world, 'team', 'blue')).toBe(nano)
  })

  test('no usage at all is the estimated input, and labelled', async () => {
    world = await startWorld({ budgets: [TEAM] })
    await world.send(callOf(), async () => replyOf(endingOf({ inputTokens: 0, outputTokens: 0 }, { usageSource: 'none' })))
    const [row] = await world.rows()
    expect(row).toMatchObject({ usage_source: 'estimated', output_tokens: 0 })
    expect(row?.input_tokens).toBeGreaterThan(0)
    expect(await sumOf(world, 'team', 'blue')).toBe(BigInt(row?.charged_nusd ?? 0))
  })

  test('an embedding of 12 tokens is not free for ever', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const body = { input: 'hello', messages: undefined, max_tokens: undefined }
    const ending = endingOf({ inputTokens: 12, outputTokens: 0 })
    await world.send(callOf({ model: 'acme/embed', endpoint: 'embeddings', body }), async () => replyOf(ending))
    expect(await world.rows()).toMatchObject([{ cost_pusd: 240_000, cost_uusd: 0, charged_nusd: 240 }])
    expect(await sumOf(world, 'team', 'blue')).toBe(240n)
  })

  test.each([
    ['a fraction', { inputTokens: 1.5 }],
    ['below zero', { outputTokens: -1_000 }],
    ['no number', { outputTokens: Number.NaN }],
    ['no end', { units: { webSearch: Number.POSITIVE_INFINITY } }],
  ])('a count that is %s is charged as expected, booked as unknown, and remembered by nobody', async (_name, usage) => {
    world = await startWorld({ budgets: [TEAM], hold: 'p90' })
    for (let index = 0; index < 25; index++) {
      await world.send(callOf(), async () => replyOf(endingOf(usage)))
      await world.rest()
    }
    const rows = await world.rows()
    const [row] = rows
    expect(row).toMatchObject({ kind: 'attempt', cost_pusd: null, unknown_parts: 'all', usage: null, output_tokens: null })
    expect(Number(row?.charged_nusd)).toBe(Math.ceil(Number(row?.expected_pusd) / 1_000))
    expect(await sumOf(world, 'team', 'blue')).toBe(rows.reduce((sum, one) => sum + BigInt(one.charged_nusd ?? 0), 0n))
    expect((await world.send(callOf())).status).toBe(200)
  })

  test('counts beyond all reason cost what a column can hold, and are marked', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, hard: false }] })
    const ending = endingOf({ inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: Number.MAX_SAFE_INTEGER })
    await world.send(callOf({ body: { max_tokens: Number.MAX_SAFE_INTEGER } }), async () => replyOf(ending))
    const [row] = await world.rows()
    expect(row).toMatchObject({ unreconciled: 1, charged_nusd: 10 ** 13 })
    for (const cell of [row?.cost_pusd, row?.held_nusd, row?.expected_pusd]) {
      expect(BigInt(cell as string) < 2n ** 63n).toBe(true)
    }
    expect(await sumOf(world, 'team', 'blue')).toBe(10n ** 13n)
  })
})

describe('every ending ends the hold, once', () => {
  const gone = new SwitchyardError('ABORTED', 'the client left')
  const late = new SwitchyardError('TIMEOUT', 'too late', { details: { phase: 'first', sent: true } })
  const unsent = new SwitchyardError('TIMEOUT', 'too late', { details: { phase: 'connect', sent: false } })
  test.each<[string, () => unknown, string]>([
    [
      'a refused connection',
      () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no', { details: { sent: false } })),
      'none',
    ],
    ['a cancel before the first byte', () => Promise.reject(gone), 'estimated'],
    ['a timeout', () => Promise.reject(late), 'estimated'],
    ['a timeout before anything was sent', () => Promise.reject(unsent), 'none'],
    ['a bug', () => Promise.reject(new TypeError('x is not a function')), 'none'],
    ['a reply that is none', async () => undefined, 'none'],
    [
      'a throw before any promise',
      () => {
        throw new TypeError('x is not a function')
      },
      'none',
    ],
  ])('%s', async (_name, next, source) => {
    world = await startWorld({ budgets: [TEAM] })
    await rejection(world.send(callOf(), next as () => Promise<ModelReply>))
    await world.rest()
    const [row] = await world.rows()
    expect(row?.usage_source).toBe(source)
    expect(Number(row?.charged_nusd) > 0).toBe(source === 'estimated')
    expect(await sumOf(world, 'team', 'blue')).toBe(BigInt(row?.charged_nusd ?? 0))
    // Two are of the rebuild that the first call of an empty store asks for.
    expect(world.counters.calls.settle).toBe(3)
    expect(await world.rows()).toHaveLength(1)
  })

  test('a reply whose end is rejected, against its word', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const ended = Promise.reject(new Error('broken'))
    await world.send(callOf(), async () => ({ ...replyOf(), ended }))
    expect(await world.rows()).toMatchObject([{ outcome: 'error', usage_source: 'estimated' }])
    expect(await sumOf(world, 'team', 'blue')).toBeLessThan(1_000_000n)
  })

  test('a reply that does not end after its client left: its hold does not last for ever, and its end is booked late', async () => {
    world = await startWorld({ budgets: [TEAM], leaseMs: 30_000, graceMs: 0, defaultOutputTokens: 10 })
    const gone = new AbortController()
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true, signal: gone.signal }), async () => replyOf(promise, true))
    await world.clock.advance(60_000)
    gone.abort(new SwitchyardError('ABORTED', 'the client left'))
    await world.clock.advance(200_000)
    const [row] = await world.rows()
    expect(row).toMatchObject({ kind: 'unsettled' })
    expect(await sumOf(world, 'team', 'blue')).toBe(BigInt(row?.charged_nusd ?? 0))
    resolve(endingOf())
    expect((await world.rows()).map(({ kind }) => kind)).toEqual(['unsettled', 'adjustment'])
    expect(await sumOf(world, 'team', 'blue')).toBe(70_000n)
  })

  test('a client that left while it was held: nothing is sent', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const signal = AbortSignal.abort(gone)
    let sent = 0
    const next = async () => {
      sent += 1
      return replyOf()
    }
    expect(await rejection(world.send(callOf({ signal }), next))).toMatchObject({ code: 'ABORTED' })
    await world.rest()
    expect(sent).toBe(0)
    expect(await sumOf(world, 'team', 'blue')).toBe(0n)
    expect(await world.rows()).toEqual([])
  })

  test('a stream holds until its end, not until its headers', async () => {
    world = await startWorld({ budgets: [TEAM] })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBeGreaterThan(1_000_000n)
    expect(await world.ledger.rows()).toEqual([])
    resolve(endingOf())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(70_000n)
  })

  test('a long stream is prolonged, and what it holds outlives its lease', async () => {
    world = await startWorld({ budgets: [TEAM], leaseMs: 30_000, graceMs: 0 })
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    await world.clock.advance(600_000)
    expect(world.counters.calls.renew).toBeGreaterThan(10)
    expect(await sumOf(world, 'team', 'blue')).toBeGreaterThan(1_000_000n)
    resolve(endingOf())
    await world.rest()
    expect(await sumOf(world, 'team', 'blue')).toBe(70_000n)
  })

  test('a hold settles in the window it was taken in', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, window: 'day' }], leaseMs: 3_600_000 })
    await world.clock.advance(86_400_000 - 1_000)
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    await world.send(callOf({ stream: true }), async () => replyOf(promise, true))
    await world.clock.advance(2_000)
    await world.send(callOf())
    resolve(endingOf({ outputTokens: 50 }))
    await world.rest()
    expect(await sumOf(world, 'team', 'blue', '2026-01-01')).toBe(520_000n)
    expect(await sumOf(world, 'team', 'blue', '2026-01-02')).toBe(70_000n)
  })
})

test('a response in the background, whose cost nobody hears of, is refused by a hard budget', async () => {
  world = await startWorld({ budgets: [TEAM] })
  const body = { background: true, input: 'x', max_output_tokens: 10, messages: undefined }
  const error = await rejection(world.send(callOf({ endpoint: 'responses', body })))
  expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', details: { budget: 'team', reason: 'background' } })
  expect((await world.send(callOf({ endpoint: 'responses', body: { ...body, background: false } }))).status).toBe(200)
})

describe('a price that nobody knows', () => {
  test('is refused by a hard budget, with the mend', async () => {
    world = await startWorld({ budgets: [TEAM] })
    let calls = 0
    const error = await rejection(
      world.send(callOf({ model: 'acme/unpriced' }), async () => {
        calls += 1
        return replyOf()
      }),
    )
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', details: { budget: 'team', reason: 'price-unknown' } })
    expect(error.message).toContain('unknownPriceUsd')
    expect(calls).toBe(0)
  })

  test('is held and charged at the default, and booked as unknown', async () => {
    world = await startWorld({ budgets: [TEAM], unknownPriceUsd: '0.01' })
    await world.send(callOf({ model: 'acme/unpriced' }))
    expect(await world.rows()).toMatchObject([{ cost_pusd: null, unknown_parts: 'all', charged_nusd: 10_000_000 }])
    expect(await sumOf(world, 'team', 'blue')).toBe(10_000_000n)
  })

  test('is served by a soft budget, and booked as unknown, not as nothing', async () => {
    world = await startWorld({ budgets: [{ ...TEAM, hard: false }] })
    const reply = await world.send(callOf({ model: 'acme/unpriced' }))
    expect(await world.rows()).toMatchObject([{ cost_pusd: null, cost_uusd: null, unknown_parts: 'all' }])
    expect(reply.headers['x-switchyard-cost-usd']).toBeUndefined()
  })

  test('a part without a price is named, and the rest is charged', async () => {
    const entry = entryOf({ model: 'half', prices: [{ perToken: { input: 2_000_000 } }] })
    world = await startWorld({}, { catalog: testCatalog([entry]) })
    await world.send(callOf({ model: 'acme/half' }))
    expect(await world.rows()).toMatchObject([{ cost_pusd: null, unknown_parts: 'output', charged_nusd: 20_000 }])
  })

  test('a free model is free, and holds nothing', async () => {
    world = await startWorld({ budgets: [TEAM] })
    await world.send(callOf({ model: 'acme/free' }))
    expect(await world.rows()).toMatchObject([{ cost_pusd: 0, unknown_parts: null }])
    expect(world.counters.calls.reserve).toBe(0)
  })
})
