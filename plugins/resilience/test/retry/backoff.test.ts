import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import { noJitterGenerator } from 'cockatiel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs, retryVerdict } from '../../src/retry/backoff.ts'
import { unavailable } from '../fake-call.ts'

const SETTINGS = { maxAttempts: 3, backoffBaseMs: 250, backoffMaxMs: 8_000, retryAfterMaxMs: 30_000 }
const TOP = 1 - Number.EPSILON / 2

const judge = (
  error: unknown,
  {
    retries = 0,
    cutBefore = false,
    attemptsLeft = 20,
    others = 0,
    idempotent = true,
    deadline = undefined as number | undefined,
    random = 0.5,
    settings = SETTINGS,
  } = {},
): ReturnType<typeof retryVerdict> =>
  retryVerdict({ idempotent, deadline }, error, { retries, cutBefore, attemptsLeft, others }, settings, 1_000, () => random)

describe('which failures are repeated', () => {
  test.each<[ErrorCode, boolean]>([
    ['RATE_LIMITED', true],
    ['OVERLOADED', true],
    ['CIRCUIT_OPEN', false],
    ['TIMEOUT', true],
    ['UPSTREAM_UNAVAILABLE', true],
    ['UPSTREAM_INVALID', true],
    ['UPSTREAM_TRUNCATED', true],
    ['ABORTED', false],
    ['UNAUTHENTICATED', false],
    ['INVALID_REQUEST', false],
    ['CONFLICT', false],
    ['UPSTREAM_REJECTED', false],
    ['INTERNAL', false],
    ['CLOSED', false],
  ])('%s: %s', (code, retry) => {
    expect(judge(new SwitchyardError(code, 'x')).retry).toBe(retry)
    expect(judge(new SwitchyardError(code, 'x', { retryable: false })).retry).toBe(false)
  })

  test('an answer that was cut is asked for again once, whatever else failed', () => {
    const cut = new SwitchyardError('UPSTREAM_TRUNCATED', 'x')
    expect(judge(cut, { retries: 1 }).retry).toBe(true)
    expect(judge(cut, { retries: 1, cutBefore: true })).toEqual({ retry: false, reason: 'once-only' })
    expect(judge(unavailable(), { retries: 1, cutBefore: true }).retry).toBe(true)
  })

  test('an attempt is kept for each target that was not tried yet', () => {
    expect(judge(unavailable(), { attemptsLeft: 3, others: 2 }).retry).toBe(true)
    expect(judge(unavailable(), { attemptsLeft: 2, others: 2 })).toEqual({ retry: false, reason: 'attempts-kept-for-others' })
    expect(judge(unavailable(), { attemptsLeft: 0 })).toEqual({ retry: false, reason: 'attempts-used-up' })
  })

  test('a target that asks for a pause is left for the next one', () => {
    expect(judge(unavailable({ retryAfterMs: 1_000 }), { others: 1 })).toEqual({ retry: false, reason: 'next-is-sooner' })
    expect(judge(unavailable({ retryAfterMs: 100 }), { others: 1 })).toMatchObject({ retry: true })
  })

  test.each([new Error('socket hang up'), { retryable: true }, undefined, 'no'])(
    'what is no SwitchyardError is not, here: %s',
    (error) => {
      expect(judge(error)).toEqual({ retry: false, reason: 'not-here' })
    },
  )

  test('a call that is not idempotent is repeated only where no byte left', () => {
    expect(judge(unavailable(), { idempotent: false })).toEqual({ retry: false, reason: 'not-idempotent' })
    expect(judge(unavailable({ details: { sent: true } }), { idempotent: false })).toMatchObject({ retry: false })
    expect(judge(unavailable({ details: { sent: 0 } }), { idempotent: false })).toMatchObject({ retry: false })
    expect(judge(unavailable({ details: { sent: false } }), { idempotent: false })).toMatchObject({ retry: true })
  })

  test('the first attempt counts', () => {
    expect(judge(unavailable(), { retries: 1 }).retry).toBe(true)
    expect(judge(unavailable(), { retries: 2 })).toEqual({ retry: false, reason: 'attempts-used-up' })
    expect(judge(unavailable(), { settings: { ...SETTINGS, maxAttempts: 1 } })).toEqual({
      retry: false,
      reason: 'attempts-used-up',
    })
  })
})

describe('how long is waited', () => {
  test.each([
    [0, 250],
    [1, 500],
    [4, 4_000],
    [5, 8_000],
    [6, 8_000],
    [2_000, 8_000],
  ])('before retry %i at most %i ms', (n, most) => {
    expect(backoffMs(n, SETTINGS, () => 0)).toBe(0)
    expect(backoffMs(n, SETTINGS, () => TOP)).toBe(most)
  })

  test('the bounds are those of cockatiel, of which the jitter is a part', () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.nat(60_000),
        fc.nat(600_000),
        fc.double({ min: 0, max: TOP, noNaN: true }),
        (n, base, max, random) => {
          const [bound] = noJitterGenerator(n, { initialDelay: base, maxDelay: max, exponent: 2, generator: noJitterGenerator })
          const wait = backoffMs(n, { backoffBaseMs: base, backoffMaxMs: max }, () => random)
          expect(Number.isSafeInteger(wait)).toBe(true)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(bound)
          expect(backoffMs(n, { backoffBaseMs: base, backoffMaxMs: max }, () => TOP)).toBe(bound)
        },
      ),
    )
  })

  test('the other side is obeyed up to the cap and no further', () => {
    expect(judge(unavailable({ retryAfterMs: 20_000 }))).toEqual({ retry: true, waitMs: 20_000, reason: 'retry-after' })
    expect(judge(unavailable({ retryAfterMs: 30_000 }))).toMatchObject({ retry: true, waitMs: 30_000 })
    expect(judge(unavailable({ retryAfterMs: 30_001 }))).toEqual({ retry: false, reason: 'retry-after-too-long' })
    expect(judge(unavailable({ retryAfterMs: Number.POSITIVE_INFINITY }))).toMatchObject({ retry: false })
  })

  test('the longer of the two waits is taken', () => {
    expect(judge(unavailable({ retryAfterMs: 10 }), { random: TOP })).toEqual({ retry: true, waitMs: 250, reason: 'backoff' })
  })

  test.each([Number.NaN, -1, -1e9, 0, '9' as unknown as number])(
    'a stated delay of %s is as if it were not there',
    (retryAfterMs) => {
      expect(judge(unavailable({ retryAfterMs }), { random: 0 })).toEqual({ retry: true, waitMs: 0, reason: 'backoff' })
    },
  )

  test('a wait that would not end before the deadline is not begun', () => {
    expect(judge(unavailable({ retryAfterMs: 500 }), { deadline: 1_501 })).toMatchObject({ retry: true })
    expect(judge(unavailable({ retryAfterMs: 500 }), { deadline: 1_500 })).toEqual({
      retry: false,
      reason: 'deadline-too-near',
    })
    expect(judge(unavailable(), { deadline: 1_000, random: 0 })).toEqual({ retry: false, reason: 'deadline-too-near' })
  })

  test('whatever the error says: bounded, and over before the deadline', () => {
    const settings = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 20 }),
      backoffBaseMs: fc.nat(100_000),
      backoffMaxMs: fc.nat(100_000),
      retryAfterMaxMs: fc.nat(100_000),
    })
    const stated = fc.oneof(fc.constant(undefined), fc.double(), fc.nat(200_000))
    const deadline = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 200_000 }))
    fc.assert(
      fc.property(
        settings,
        stated,
        deadline,
        fc.nat(25),
        fc.double({ min: 0, max: TOP, noNaN: true }),
        (given, after, until, retries, random) => {
          const error = unavailable(after === undefined ? {} : { retryAfterMs: after })
          const verdict = judge(error, { settings: given, deadline: until, retries, random })
          if (!verdict.retry) return
          expect(retries + 1).toBeLessThan(given.maxAttempts)
          expect(verdict.waitMs).toBeGreaterThanOrEqual(0)
          expect(verdict.waitMs).toBeLessThanOrEqual(Math.max(given.backoffMaxMs, given.retryAfterMaxMs))
          if (until !== undefined) expect(1_000 + verdict.waitMs).toBeLessThan(until)
        },
      ),
    )
  })
})
