import { type ModelEnding, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LimitInput } from '../src/index.ts'
import { chatCall, openReply, rejection, sqlCall, startRig } from './support/rig.ts'

const limit = (count: number, more: object = {}): LimitInput => ({
  name: 'words',
  per: 'key',
  tokens: { count, windowMs: 60_000, ...more },
})

describe('tokens a window', () => {
  test('input and the output it allows itself are reserved, and corrected by what was used', async () => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => reply)
    expect(counters.sum(':t')).toBe(500)
    end({ usage: { inputTokens: 310, outputTokens: 20 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(330)
    await clock.advance(60_000)
    expect(counters.sum(':t')).toBe(0)
  })

  test('a reply from the cache takes no tokens, whatever usage it repeats', async () => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => ({ ...reply, headers: { 'x-switchyard-cache': 'hit' } }))
    end({ usage: { inputTokens: 310, outputTokens: 20 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(0)
  })

  test.each([
    ['no limit of its own', undefined, 100 + 512],
    ['a limit above what is expected', 9_000, 100 + 512],
    ['a limit below it', 8, 108],
  ])('output: %s', async (_name, output, sum) => {
    const { send, counters } = await startRig({ limits: [limit(10_000)] })
    await send(chatCall(100, output), async () => openReply().reply)
    expect(counters.sum(':t')).toBe(sum)
  })

  test('what goes beyond the limit is counted, and keeps the next ones out', async () => {
    const { send, admits, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(10, 10), async () => reply)
    end({ usage: { inputTokens: 10, outputTokens: 5_000 } })
    await clock.advance(59_999)
    expect(await admits(chatCall(1, 0))).toBe(false)
    await clock.advance(1)
    expect(await admits(chatCall(1, 0))).toBe(true)
  })

  test('a call longer than its window has what it took beyond its reservation counted when it ends', async () => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(10, 10), async () => reply)
    await clock.advance(60_000)
    end({ usage: { inputTokens: 10, outputTokens: 500 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(490)
    await clock.advance(60_000)
    expect(counters.sum(':t')).toBe(0)
  })

  test('one that took less than it reserved gives nothing back to the next window', async () => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(10, 100), async () => reply)
    await clock.advance(60_000)
    end({ usage: { inputTokens: 10, outputTokens: 5 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(0)
  })

  test('a value of megabytes stands in keys by its hash', async () => {
    const { send, counters } = await startRig({ limits: [{ ...limit(1_000), per: 'metadata.job' }] })
    const reserved: number[] = []
    const { reserve } = counters
    counters.reserve = (rows, lease, options) => {
      reserved.push(Math.max(lease.id.length, ...rows.map(({ key }) => key.length)))
      return reserve.call(counters, rows, lease, options)
    }
    const job = 'x'.repeat(1_000_000)
    for (const one of [job, `${job}y`, job])
      await send(chatCall(1, 1, {}, { metadata: { job: one } }), async () => openReply().reply)
    expect(reserved).toHaveLength(3)
    expect(Math.max(...reserved)).toBeLessThan(300)
  })

  test.each([
    ['counted', 130],
    ['free', 30],
  ])('cached input is %s', async (cachedInput, sum) => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000, { cachedInput })] })
    const { reply, end } = openReply()
    await send(chatCall(100, 30), async () => reply)
    end({ usage: { inputTokens: 100, outputTokens: 30, cacheReadTokens: 100 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(sum)
  })

  test('more cached than input, negative, broken and absent figures never count below zero', async () => {
    const usages = [
      { inputTokens: 5, outputTokens: 0, cacheReadTokens: 100 },
      { inputTokens: -5, outputTokens: Number.NaN },
      { inputTokens: 0, outputTokens: 0 },
    ]
    const { send, counters, clock } = await startRig({ limits: [limit(1_000, { cachedInput: 'free' })] })
    for (const usage of usages) {
      const { reply, end } = openReply()
      await send(chatCall(100, 30), async () => reply)
      end({ usage })
      await clock.advance(0)
      expect(counters.sum(':t')).toBe(0)
    }
  })

  test.each([
    ['total', 500, 330],
    ['input', 300, 310],
    ['output', 200, 20],
  ])('of %s', async (of, reserved, used) => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000, { of })] })
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => reply)
    expect(counters.sum(':t')).toBe(reserved)
    end({ usage: { inputTokens: 310, outputTokens: 20 } })
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(used)
  })

  test.each([
    ['of an ending without usage the reservation stays', { usageSource: 'none' }, 500],
    ['of a stream that was cut, what came is counted', { outcome: 'truncated', usageSource: 'estimated' }, 30],
    ['of a client that left, what came is counted', { outcome: 'aborted', usageSource: 'estimated' }, 30],
  ] as const)('%s', async (_name, ending, sum) => {
    const { send, counters, clock } = await startRig({ limits: [limit(1_000)] })
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => reply)
    end({ usage: { inputTokens: 20, outputTokens: 10 }, ...ending } as Partial<ModelEnding>)
    await clock.advance(0)
    expect(counters.sum(':t')).toBe(sum)
  })

  test('an expected output never keeps a call out for ever; an input that is too large is refused for good', async () => {
    const { send, admits, counters } = await startRig({ limits: [limit(400)] })
    expect(await admits(chatCall(300))).toBe(true)
    expect(counters.sum(':t')).toBe(400)
    const error = await rejection(send(chatCall(401, 0)))
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: false, retryAfterMs: undefined })
    expect(error.message).toContain('this call alone needs 401; send a smaller request, or raise the limit')
  })

  test('is no matter of other operations, and requests of the same window share the lease', async () => {
    const limits = [{ ...limit(100), requests: { count: 5, windowMs: 60_000 } }]
    const { admits, counters } = await startRig({ limits })
    await admits(sqlCall())
    expect([counters.sum(':r'), counters.sum(':t')]).toEqual([1, 0])
    await admits(chatCall(40, 10))
    expect([counters.sum(':r'), counters.sum(':t'), counters.calls.reserve]).toEqual([2, 50, 2])
    expect(await admits(chatCall(60, 10))).toBe(false)
    expect([counters.sum(':r'), counters.sum(':t')]).toEqual([2, 50])
  })

  test('a prompt without an estimate is estimated, once for all who need it', async () => {
    const { send, counters } = await startRig({ limits: [limit(100_000)], expectedOutputTokens: 0 })
    const body = { messages: [{ role: 'user', content: 'word '.repeat(1_000) }] }
    let passedOn: unknown
    await send(chatCall(0, 0, { attributes: {} }, body), async ({ attributes }) => {
      passedOn = attributes.inputTokens
      return openReply().reply
    })
    expect(passedOn).toBe(counters.sum(':t'))
    expect(counters.sum(':t')).toBeGreaterThan(800)
    expect(counters.sum(':t')).toBeLessThan(1_500)
  })

  test('embeddings are expected to bring no output', async () => {
    const { send, counters } = await startRig({ limits: [limit(100_000)] })
    const call = chatCall(50)
    await send({ ...call, request: { ...call.request, endpoint: 'embeddings' } as never }, async () => openReply().reply)
    expect(counters.sum(':t')).toBe(50)
  })

  test('the sum is what was used, whatever order calls end in', async () => {
    const calls = fc.array(
      fc.record({ input: fc.nat(50), output: fc.nat(50), usedIn: fc.nat(90), usedOut: fc.nat(90), at: fc.nat(9) }),
      {
        maxLength: 12,
      },
    )
    await fc.assert(
      fc.asyncProperty(calls, async (all) => {
        const { send, counters, clock } = await startRig({ limits: [limit(1_000_000)] })
        const open = []
        for (const one of all) {
          const { reply, end } = openReply()
          await send(chatCall(one.input, one.output), async () => reply)
          open.push({ ...one, end })
        }
        for (const { usedIn, usedOut, end } of open.sort((a, b) => a.at - b.at)) {
          end({ usage: { inputTokens: usedIn, outputTokens: usedOut } })
        }
        await clock.advance(0)
        expect(counters.sum(':t')).toBe(all.reduce((sum, { usedIn, usedOut }) => sum + usedIn + usedOut, 0))
      }),
      { numRuns: 40 },
    )
  })
})

describe('a call that fails', () => {
  const limits = [{ ...limit(1_000), requests: { count: 5, windowMs: 60_000 } }]
  const fail = (code: string, details?: object) => async (): Promise<never> => {
    throw new SwitchyardError(code as 'TIMEOUT', 'no', { ...(details && { details: details as Record<string, unknown> }) })
  }

  test.each([
    ['by the budget: it never was', 'BUDGET_EXCEEDED', {}, 0, 0],
    ['by a guard of ours: it never was', 'OVERLOADED', { guard: 'bulkhead' }, 0, 0],
    ['by a policy: it never was', 'POLICY_REFUSED', {}, 0, 0],
    ['at its target: no tokens, but a request', 'UPSTREAM_UNAVAILABLE', { status: 500 }, 1, 0],
    ['unreachable target: no tokens, but a request', 'UPSTREAM_UNAVAILABLE', { sent: false }, 1, 0],
    ['limited there: no tokens, but a request', 'RATE_LIMITED', { status: 429 }, 1, 0],
    ['too slow: its input may have been read', 'TIMEOUT', {}, 1, 300],
  ])('%s', async (_name, code, details, requests, tokens) => {
    const { send, counters, clock } = await startRig({ limits })
    await rejection(send(chatCall(300, 200), fail(code, details)))
    await clock.advance(0)
    expect([counters.sum(':r'), counters.sum(':t')]).toEqual([requests, tokens])
  })

  test('by the budget after an attempt was made: the request stays', async () => {
    const { send, counters, clock } = await startRig({ limits })
    const call = chatCall(300, 200)
    call.trace.measure('attemptCount', 2)
    await rejection(send(call, fail('BUDGET_EXCEEDED')))
    await clock.advance(0)
    expect([counters.sum(':r'), counters.sum(':t')]).toEqual([1, 0])
  })

  test('because its client left while it was admitted: it never was', async () => {
    const { send, counters } = await startRig({ limits })
    const leaving = new AbortController()
    let reached = false
    const sent = send(chatCall(300, 200, { signal: leaving.signal }), async () => {
      reached = true
      return openReply().reply
    })
    leaving.abort(new SwitchyardError('ABORTED', 'gone'))
    expect((await rejection(sent)).code).toBe('ABORTED')
    expect([reached, counters.sum(':r'), counters.sum(':t')]).toEqual([false, 0, 0])
  })
})
