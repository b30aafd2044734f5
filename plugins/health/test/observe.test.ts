import { type Call, type ErrorCode, type Reply, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { callOf, settle, startNode, unavailable } from './support/node.ts'

const A = 'p/acme/a'

describe('what an attempt says', () => {
  const signalled = ['ABORTED', 'TIMEOUT'] as const
  test.each<[ErrorCode, number | undefined]>([
    ['UPSTREAM_UNAVAILABLE', 0],
    ['UPSTREAM_INVALID', 0],
    ['UPSTREAM_TRUNCATED', 0],
    ['TIMEOUT', 0],
    ['UPSTREAM_REJECTED', undefined],
    ['INVALID_REQUEST', undefined],
    ['NOT_FOUND', undefined],
    ['ABORTED', undefined],
    ['OVERLOADED', undefined],
    ['CIRCUIT_OPEN', undefined],
    ['RATE_LIMITED', undefined],
    ['INTERNAL', undefined],
  ])('%s gives a success rate of %s', async (code, rate) => {
    const { attempt, health } = await startNode()
    const error = new SwitchyardError(code, 'it was so')
    const one = attempt()
    await one.reject(error)
    await expect(one.result).rejects.toBe(error)
    expect(health.of(A)).toMatchObject({ inFlight: 0, successRate: rate })
  })

  test('what is no SwitchyardError says nothing', async () => {
    const { attempt, health } = await startNode()
    await attempt().reject(new TypeError('a bug of ours'))
    expect(health.of(A).successRate).toBeUndefined()
  })

  test.each([
    ['complete', 1],
    ['truncated', 0],
    ['aborted', undefined],
  ] as const)('a stream that ends %s gives %s, once it ended and not before', async (outcome, rate) => {
    const { attempt, health } = await startNode()
    const one = attempt({ stream: true })
    await one.reply('lasting')
    expect(health.of(A)).toMatchObject({ inFlight: 1, successRate: undefined })
    await one.end({ outcome })
    expect(health.of(A)).toMatchObject({ inFlight: 0, successRate: rate })
  })

  test.each([
    ['UPSTREAM_UNAVAILABLE', 0],
    ['UPSTREAM_REJECTED', undefined],
  ] as const)('a stream that ends with %s gives %s', async (code, rate) => {
    const { attempt, health } = await startNode()
    const one = attempt({ stream: true })
    await one.reply('lasting')
    await one.end({ outcome: 'error', error: new SwitchyardError(code, 'mid-way') })
    expect(health.of(A).successRate).toBe(rate)
  })

  test('an `ended` that rejects, against its promise, says nothing and leaves nothing in flight', async () => {
    const { policy, health } = await startNode()
    const reply = { status: 200, headers: {}, body: new Uint8Array(), ended: Promise.reject(new Error('broken')) }
    await policy.around(callOf({}), async () => reply as unknown as Reply<'model.invoke'>)
    await settle()
    expect(health.of(A)).toMatchObject({ inFlight: 0, successRate: undefined })
  })

  test('one sample an attempt, whatever the endings', async () => {
    const { attempt, good, bad, health } = await startNode()
    await good(6)
    await bad(1)
    const streams = [attempt({ stream: true }), attempt({ stream: true })]
    for (const one of streams) await one.reply('lasting')
    await streams[0]?.end({ outcome: 'complete' })
    await streams[1]?.end({ outcome: 'truncated' })
    expect(health.of(A).successRate).toBeCloseTo(7 / 9, 9)
  })

  test.each(signalled)(
    '%s of a caller who did not wait says nothing, and of one who waited long is a failure',
    async (code) => {
      const { attempt, good, clock, health } = await startNode()
      await good(20, {}, 100)
      const leave = async (ms: number): Promise<void> => {
        const one = attempt()
        await clock.advance(ms)
        if (code === 'ABORTED') one.abort()
        else one.expire()
        await one.reject(new SwitchyardError(code, 'over'))
      }
      await leave(499)
      expect(health.of(A).successRate).toBe(1)
      await leave(501)
      expect(health.of(A).successRate).toBeCloseTo(20 / 21, 9)
    },
  )

  test('where nothing is usual yet, a wait of ten seconds is long', async () => {
    const { attempt, clock, health } = await startNode()
    for (const [ms, rate] of [
      [9_999, undefined],
      [10_001, 0],
    ] as const) {
      const one = attempt()
      await clock.advance(ms)
      one.abort()
      await one.reject(new SwitchyardError('ABORTED', 'left'))
      expect(health.of(A).successRate).toBe(rate)
    }
  })

  test('a client who picks the upstream itself says nothing about the deployment', async () => {
    const provider = { capabilities: { selectors: ['x-portkey-api-key'] } }
    const { attempt, bad, good, health, changes } = await startNode({ providers: new Map([['p', provider as never]]) })
    const own = { requestHeaders: { 'x-portkey-api-key': 'theirs' } }
    await bad(10, own)
    await bad(1, own, new SwitchyardError('RATE_LIMITED', 'theirs', { retryAfterMs: 1000 }))
    const waiting = attempt(own)
    await good(1, { ...own, headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '9s' } })
    expect(health.of(A)).toMatchObject({ state: 'healthy', inFlight: 1, successRate: undefined, firstTokenMs: undefined })
    await waiting.reply()
    expect(changes()).toEqual([])
    await bad(1, { requestHeaders: { 'x-other': '1' } })
    expect(health.of(A).successRate).toBe(0)
  })
})

describe('what is measured', () => {
  test('attempts under way, of each deployment its own', async () => {
    const { attempt, health } = await startNode()
    const [first] = [attempt(), attempt(), attempt({ deployment: 'p/acme/b' })]
    expect([health.of(A).inFlight, health.of('p/acme/b').inFlight]).toEqual([2, 1])
    await first?.reply()
    expect(health.of(A).inFlight).toBe(1)
  })

  test('a peak in the time to first reply shows at once and fades', async () => {
    const { good, clock, health } = await startNode()
    await good(5, { stream: true }, 100)
    expect(health.of(A).firstTokenMs).toBe(100)
    await good(1, { stream: true }, 400)
    expect(health.of(A).firstTokenMs).toBe(400)
    await clock.advance(9_900)
    await good(1, { stream: true }, 100)
    expect(health.of(A).firstTokenMs).toBeCloseTo(100 + 300 * Math.exp(-1), 6)
  })

  test('whole replies count only while there are no streamed ones', async () => {
    const { good, health } = await startNode()
    await good(1, {}, 5_000)
    expect(health.of(A).firstTokenMs).toBe(5_000)
    await good(1, { stream: true }, 80)
    expect(health.of(A).firstTokenMs).toBe(80)
  })

  test('a call without a deployment is counted by its target, and an operation without a reply object as well', async () => {
    const { policy, health } = await startNode()
    const call = { ...callOf({}), attributes: {}, target: 'orders', operation: 'sql.query' } as unknown as Call
    for (const reply of [undefined, null, { rows: [], rowCount: 0 }]) await policy.around(call, async () => reply as never)
    expect(health.of('orders')).toMatchObject({ successRate: 1, inFlight: 0 })
  })

  test('the policy changes neither call, reply nor error, and explains itself', async () => {
    const { policy } = await startNode()
    const call = callOf({})
    const reply = { status: 200 } as Reply<'model.invoke'>
    let given: Call | undefined
    const got = await policy.around(call, async (inner) => {
      given = inner
      return reply
    })
    expect(given).toBe(call)
    expect(got).toBe(reply)
    await expect(policy.around(call, () => Promise.reject(unavailable))).rejects.toBe(unavailable)
    expect(await policy.explain?.(call)).toEqual({ decisions: [{ decision: 'observed' }] })
  })
})
