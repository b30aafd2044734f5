import type { ModelReply } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { rateLimit } from '../src/index.ts'
import { durationText } from '../src/quota.ts'
import { by, chatCall, openReply, sqlCall, startRig } from './support/rig.ts'

const requests = { count: 10, windowMs: 60_000 }
const upstream = {
  'content-type': 'application/json',
  ratelimit: '"theirs";r=1;t=1',
  'ratelimit-policy': '"theirs";q=1',
  'x-ratelimit-limit-tokens': '7',
  'x-ratelimit-limit-project-tokens': '7',
}

describe('headers of a reply', () => {
  test('tell of requests, in place of what the upstream told', async () => {
    const { send } = await startRig({ limits: [{ name: 'calls', per: 'key', requests }] })
    const { reply } = openReply(upstream)
    const given = (await send(chatCall(1), async () => reply)) as ModelReply
    expect(given.headers).toEqual({
      'content-type': 'application/json',
      ratelimit: '"calls";r=9;t=60',
      'ratelimit-policy': '"calls";q=10;w=60',
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '1m0s',
    })
    expect(reply.headers).toBe(upstream)
    expect(given.ended).toBe(reply.ended)
  })

  test('the nearest to exhaustion is told of, of requests and of tokens each', async () => {
    const limits = [
      { name: 'wide', per: 'tenant', requests: { count: 100, windowMs: 1_000 } },
      { name: 'both', per: 'key', requests, tokens: { count: 1_000, windowMs: 3_600_000 }, concurrency: 3 },
    ] as const
    const { send } = await startRig({ limits })
    const given = (await send(chatCall(500, 100), async () => openReply().reply)) as ModelReply
    expect(given.headers).toEqual({
      ratelimit: '"both-tokens";r=400;t=3600',
      'ratelimit-policy': '"both-tokens";q=1000;qu="tokens";w=3600',
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '1m0s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '400',
      'x-ratelimit-reset-tokens': '1h0m0s',
    })
  })

  test.each([
    ['slots', { name: 'l', per: 'key', concurrency: 3 }],
    ['a limit per target', { name: 'l', per: 'target', requests }],
  ] as const)('%s leave them as they are', async (_name, limit) => {
    const { send } = await startRig({ limits: [limit] })
    expect(((await send(chatCall(1), async () => openReply(upstream).reply)) as ModelReply).headers).toBe(upstream)
  })

  test.each([
    [0, '0ms'],
    [0.5, '1ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [29_500, '29.5s'],
    [60_000, '1m0s'],
    [90_061, '1m30.061s'],
    [3_600_000, '1h0m0s'],
    [90_000_000, '25h0m0s'],
  ])('%d ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })
})

describe('the event limit:exceeded', () => {
  test('comes at once, and then once a second however many are refused', async () => {
    const { admits, clock, plugin } = await startRig({
      limits: [{ name: 'calls', per: 'tenant', requests: { count: 1, windowMs: 60_000 } }],
    })
    await admits()
    for (let i = 0; i < 100; i++) await admits(sqlCall(by({ keyId: `key-${i}` })))
    expect(plugin.emitted).toHaveLength(1)
    await clock.advance(1_000)
    await admits()
    expect(plugin.emitted.map(({ event, payload }) => [event, payload])).toMatchObject([
      [
        'limit:exceeded',
        { limit: 'calls', per: 'tenant', unit: 'requests', operation: 'sql.query', keyId: 'key-0', refused: 1 },
      ],
      ['limit:exceeded', { plugin: 'rate-limit', tenant: 'acme', keyId: 'key-1', refused: 100, at: clock.now() }],
    ])
  })
})

describe('explain', () => {
  const limits = [
    { name: 'l', per: 'key', requests: { count: 2, windowMs: 60_000 }, tokens: { count: 100, windowMs: 1_000 } },
  ] as const

  test('says what is left, and changes nothing', async () => {
    const { send, explain, counters, plugin } = await startRig({
      limits: [...limits, { name: 's', per: 'key', concurrency: 1 }],
    })
    await send(chatCall(60, 0), async () => openReply().reply)
    const before = { ...counters.calls }
    expect(await explain(chatCall(50, 0))).toEqual([
      {
        decision: 'refused',
        because: { limit: 'l', unit: 'tokens', per: 'key', count: 100, windowMs: 1_000, remaining: 40, needs: 50 },
      },
      {
        decision: 'has-room',
        because: { limit: 'l', unit: 'requests', per: 'key', count: 2, windowMs: 60_000, remaining: 1, needs: 1 },
      },
      { decision: 'refused', because: { limit: 's', unit: 'concurrency', per: 'key', count: 1, remaining: 0, needs: 1 } },
    ])
    expect(counters.calls).toEqual({ ...before, read: before.read + 3 })
    expect(plugin.emitted).toEqual([])
  })

  test('says where no limit is for the call', async () => {
    const { explain } = await startRig({ limits: [{ name: 'l', per: 'team', requests }] })
    expect(await explain(sqlCall(by({ team: undefined as never })))).toEqual([{ decision: 'no-limit' }])
  })

  test('says where the counters cannot be asked', async () => {
    const { explain, admits, counters } = await startRig({ limits })
    counters.away = 'before'
    expect((await explain(sqlCall())).map(({ decision }) => decision)).toEqual(['unknown'])
    await admits()
    expect(await explain(sqlCall())).toMatchObject([{ decision: 'unknown', because: { limit: 'l', reason: 'store-away' } }])
  })
})

describe('options', () => {
  const bad = async (input: unknown): Promise<string> => {
    const error = await startPlugin(rateLimit(input as never)).then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    return error === undefined ? 'accepted' : error.message
  }
  const limit = { name: 'l', per: 'key', requests }

  test.each([
    [
      'a limit that limits nothing',
      { limits: [{ name: 'l', per: 'key' }] },
      'at least one of requests, tokens and concurrency',
    ],
    ['an unknown dimension', { limits: [{ ...limit, per: 'colour' }] }, 'per'],
    ['a name that no header may hold', { limits: [{ ...limit, name: 'a "b"' }] }, 'it stands in headers'],
    ['two of one name', { limits: [limit, limit] }, 'the same name'],
    ['targets for a limit that is judged before', { limits: [{ ...limit, match: { targets: ['a'] } }] }, 'per target'],
    ['nothing at all allowed', { limits: [{ ...limit, requests: { count: 0, windowMs: 1 } }] }, 'count'],
    ['a window beyond a month', { limits: [{ ...limit, requests: { count: 1, windowMs: 3e9 } }] }, 'windowMs'],
    ['an unknown key', { limit: [] }, 'limit'],
  ])('%s is refused', async (_name, input, text) => {
    expect(await bad(input)).toContain(text)
  })

  test('limits without counters are refused, and their absence is no matter where there are no limits', async () => {
    expect(await bad({ limits: [limit] })).toContain('list a plugin that provides counters, such as cacheMemory()')
    expect(await bad({})).toBe('accepted')
  })
})
