import { SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainCounters } from './support/plain-counters.ts'
import { by, chatCall, rejection, sqlCall, startRig } from './support/rig.ts'

const twoAMinute = { name: 'calls', per: 'key', requests: { count: 2, windowMs: 60_000 } } as const

describe('requests a window', () => {
  test('the third is refused, with all that a client needs to know', async () => {
    const { send, clock, counters } = await startRig({ limits: [twoAMinute] })
    await send(sqlCall())
    await clock.advance(20_000)
    await send(sqlCall())
    await clock.advance(10_500)
    const call = sqlCall()
    const error = await rejection(send(call))
    expect(SwitchyardError.is(error, 'RATE_LIMITED')).toBe(true)
    expect(error).toMatchObject({ retryable: true, retryAfterMs: 29_500, plugin: 'rate-limit' })
    expect(error.message).toBe(
      'sql.query: the limit "calls" of rate-limit allows 2 requests in 1m0s per key; try again in 29.5s',
    )
    expect(error.details).toEqual({
      guard: 'rate-limit',
      sent: false,
      limit: 'calls',
      per: 'key',
      unit: 'requests',
      count: 2,
      windowMs: 60_000,
      available: 0,
      headers: {
        ratelimit: '"calls";r=0;t=30',
        'ratelimit-policy': '"calls";q=2;w=60',
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '29.5s',
      },
    })
    expect(call.trace.decisions).toMatchObject([{ by: 'rate-limit/calls', decision: 'refused' }])
    expect(counters.live()).toBe(2)
  })

  test('is let in at the very millisecond at which the first one leaves the window, and not before', async () => {
    const { admits, clock } = await startRig({ limits: [twoAMinute] })
    await admits()
    await admits()
    await clock.advance(59_999)
    expect(await admits()).toBe(false)
    await clock.advance(1)
    expect(await admits()).toBe(true)
  })

  test('a refusal uses nothing up, however many there are', async () => {
    const { admits, clock } = await startRig({ limits: [twoAMinute] })
    await admits()
    await admits()
    for (let i = 0; i < 50; i++) {
      await clock.advance(1_000)
      expect(await admits()).toBe(false)
    }
    await clock.advance(10_000)
    expect([await admits(), await admits(), await admits()]).toEqual([true, true, false])
  })

  /** Judges a log of starts and refusals by brute force. */
  function judge(log: readonly { at: number; started: boolean }[], count: number, windowMs: number): void {
    const starts = log.filter(({ started }) => started).map(({ at }) => at)
    for (const [index, from] of starts.entries()) {
      const within = starts.slice(index).filter((at) => at < from + windowMs).length
      expect(within, `starts from ${from} on`).toBeLessThanOrEqual(count)
    }
    for (const [index, { at, started }] of log.entries()) {
      if (started) continue
      const before = log.slice(0, index).filter((one) => one.started && one.at > at - windowMs).length
      expect(before, `starts before the refusal at ${at}`).toBeGreaterThanOrEqual(count)
    }
  }

  test('no window ever holds more than N starts, and nobody is refused while it holds fewer', async () => {
    const waits = fc.array(fc.oneof(fc.nat(3), fc.nat(40)), { minLength: 1, maxLength: 120 })
    await fc.assert(
      fc.asyncProperty(
        waits,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 60 }),
        async (gaps, count, windowMs) => {
          const { admits, clock } = await startRig({ limits: [{ name: 'n', per: 'all', requests: { count, windowMs } }] })
          const log: { at: number; started: boolean }[] = []
          for (const gap of gaps) {
            if (gap > 0) await clock.advance(gap)
            log.push({ at: clock.now(), started: await admits() })
          }
          judge(log, count, windowMs)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('four nodes on one store are one limiter', async () => {
    const arrivals = fc.array(fc.tuple(fc.nat(3), fc.nat(30), fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 8 }), async (all, count) => {
        const clock = virtualClock()
        const shared = { clock, counters: plainCounters(clock) }
        const options = { limits: [{ name: 'n', per: 'all', requests: { count, windowMs: 50 } }] } as const
        const nodes = await Promise.all([1, 2, 3, 4].map(() => startRig(options, shared)))
        const log: { at: number; started: boolean }[] = []
        for (const [node, gap, burst] of all) {
          if (gap > 0) await clock.advance(gap)
          const started = await Promise.all(Array.from({ length: burst }, (_, i) => nodes[(node + i) % 4]?.admits()))
          log.push(
            ...started
              .sort()
              .reverse()
              .map((one) => ({ at: clock.now(), started: one === true })),
          )
        }
        judge(log, count, 50)
      }),
      { numRuns: 40 },
    )
  })
})

describe('several limits', () => {
  const minuteAndHour = [
    { name: 'minute', per: 'key', requests: { count: 2, windowMs: 60_000 } },
    { name: 'hour', per: 'tenant', requests: { count: 3, windowMs: 3_600_000 } },
  ] as const

  test('all must have room, and the one that has is not charged for the one that has not', async () => {
    const { send, admits, clock, counters } = await startRig({ limits: minuteAndHour })
    await admits()
    await admits()
    expect((await rejection(send(sqlCall()))).details).toMatchObject({ limit: 'minute' })
    expect(counters.sum(':hour:')).toBe(2)
    await clock.advance(60_000)
    await admits()
    expect((await rejection(send(sqlCall()))).details).toMatchObject({ limit: 'hour' })
    expect(counters.sum(':minute:')).toBe(1)
    expect(counters.sum(':hour:')).toBe(3)
  })

  test('what refused last is asked first, so that a flood holds nothing elsewhere', async () => {
    const { admits, clock, counters } = await startRig({ limits: minuteAndHour })
    for (let i = 0; i < 3; i++) {
      await admits()
      await clock.advance(60_000)
    }
    await admits()
    const before = { ...counters.calls }
    await admits()
    expect(counters.calls).toEqual({ ...before, reserve: before.reserve + 1 })
  })

  test('two shards are reserved one after the other', async () => {
    const limits = [
      { name: 'mine', per: 'key', requests: { count: 9, windowMs: 1_000 } },
      { name: 'all', per: 'all', requests: { count: 1, windowMs: 1_000 } },
    ] as const
    const { admits, counters } = await startRig({ limits })
    expect(await admits(sqlCall())).toBe(true)
    expect(await admits(sqlCall(by({ tenant: 'other' })))).toBe(false)
    expect(counters.sum('{other}')).toBe(0)
  })

  test('a call never starts in part: property over two windows and bursts', async () => {
    const bursts = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 4 })), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(bursts, async (all) => {
        const limits = [
          { name: 'short', per: 'all', requests: { count: 2, windowMs: 20 } },
          { name: 'long', per: 'all', requests: { count: 5, windowMs: 100 } },
        ] as const
        const { admits, clock, counters } = await startRig({ limits })
        const starts: number[] = []
        for (const [gap, burst] of all) {
          await clock.advance(gap)
          const started = await Promise.all(Array.from({ length: burst }, () => admits()))
          for (const one of started) if (one) starts.push(clock.now())
          const within = (ms: number): number => starts.filter((at) => at > clock.now() - ms).length
          expect(counters.sum(':short:')).toBe(within(20))
          expect(counters.sum(':long:')).toBe(within(100))
          expect(within(20)).toBeLessThanOrEqual(2)
          expect(within(100)).toBeLessThanOrEqual(5)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('what is counted by', () => {
  const one = { count: 1, windowMs: 1_000 }
  const second = async (per: unknown, first: object, then: object): Promise<boolean> => {
    const { admits } = await startRig({ limits: [{ name: 'l', per, requests: one } as never] })
    await admits(chatCall(1, 1, first))
    return admits(chatCall(1, 1, then))
  }

  test.each([
    ['key', by({}), by({ keyId: 'key-2' })],
    ['key', by({}), by({ tenant: 'other' })],
    ['user', by({}), by({ user: 'bob' })],
    ['team', by({}), by({ team: 'blue' })],
    ['tenant', by({}), by({ tenant: 'other' })],
    ['target', { target: 'a' }, { target: 'b' }],
    ['target', { attributes: { deployment: 'x/1' } }, { attributes: { deployment: 'x/2' } }],
    [['tenant', 'model'], by({}), by({ tenant: 'other' })],
    [['team', 'user'], by({ team: 'a:b', user: 'c' }), by({ team: 'a', user: 'b:c' })],
    ['tenant', by({ tenant: 'a}' }), by({ tenant: 'a{' })],
  ])('%s tells these apart', async (per, first, then) => {
    expect(await second(per, first, first)).toBe(false)
    expect(await second(per, first, then)).toBe(true)
  })

  test.each([
    ['all', by({ tenant: 'other', keyId: 'key-2' })],
    ['tenant', by({ keyId: 'key-2', team: 'blue' })],
    ['model', by({ tenant: 'other' })],
    ['target', by({ tenant: 'other' })],
  ])('%s takes these together', async (per, then) => {
    expect(await second(per, {}, then)).toBe(false)
  })

  test('a call without a team, a user or a model is not under such a limit', async () => {
    const limits = (['team', 'user', 'model', 'metadata.job'] as const).map((per) => ({ name: per, per, requests: one }))
    const { admits, counters } = await startRig({ limits })
    const call = sqlCall({ principal: { tenant: 'acme', keyId: 'k', roles: [] } })
    expect([await admits(call), await admits(call)]).toEqual([true, true])
    expect(counters.calls.reserve).toBe(0)
  })

  test('a value of the metadata, within its tenant', async () => {
    const { admits } = await startRig({ limits: [{ name: 'job', per: 'metadata.job', requests: one }] })
    const job = (name: unknown, changes = {}): ReturnType<typeof chatCall> =>
      chatCall(1, 1, changes, { metadata: { job: name } })
    expect(await admits(job('a'))).toBe(true)
    expect(await admits(job('a'))).toBe(false)
    expect(await admits(job('b'))).toBe(true)
    expect(await admits(job('a', by({ tenant: 'other' })))).toBe(true)
    expect([await admits(job(7)), await admits(job(7))]).toEqual([true, true])
  })

  test.each([
    [{ tenants: ['acme'] }, true],
    [{ tenants: ['other'] }, false],
    [{ teams: ['red', 'blue'], users: ['ann'], keys: ['key-1'] }, true],
    [{ teams: ['red'], users: ['bob'] }, false],
    [{ models: ['demo/*'] }, true],
    [{ models: ['demo/echo'] }, true],
    [{ models: ['demo/other'] }, false],
    [{ operations: ['sql.query'] }, false],
    [{ metadata: { job: ['a', 'b'] } }, true],
    [{ metadata: { job: 'c' } }, false],
    [{ metadata: { none: 'a' } }, false],
  ])('a limit with %j: is it for this call? %s', async (match, isFor) => {
    const { admits } = await startRig({ limits: [{ name: 'l', per: 'key', match, requests: one }] })
    const call = chatCall(1, 1, {}, { metadata: { job: 'a' } })
    await admits(call)
    expect(await admits(call)).toBe(!isFor)
  })

  test('a limit per target may name targets', async () => {
    const { admits } = await startRig({ limits: [{ name: 'l', per: 'target', match: { targets: ['a*'] }, requests: one }] })
    const at = (target: string): ReturnType<typeof sqlCall> => sqlCall({ target })
    expect([await admits(at('a1')), await admits(at('a1')), await admits(at('b')), await admits(at('b'))]).toEqual([
      true,
      false,
      true,
      true,
    ])
  })
})

test('limits per target stand at transport, all others at admit, and none where there is none', async () => {
  const requests = { count: 1, windowMs: 1_000 }
  const both = await startRig({
    limits: [
      { name: 'a', per: 'key', requests },
      { name: 'b', per: ['target', 'tenant'], requests },
    ],
  })
  expect(both.plugin.policies.map(({ name, stage, operations }) => [name, stage, operations])).toEqual([
    ['rate-limit/calls', 'admit', '*'],
    ['rate-limit/attempts', 'transport', '*'],
  ])
  expect((await startRig({})).plugin.policies).toEqual([])
})
