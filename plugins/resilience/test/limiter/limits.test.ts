import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AdaptiveLimit, LoadSample } from '../../src/limiter/adaptive-limit.ts'
import { aimdLimit } from '../../src/limiter/aimd.ts'
import { adaptiveLimit } from '../../src/limiter/choose-limit.ts'
import { gradientLimit } from '../../src/limiter/gradient.ts'
import { PromptScale } from '../../src/limiter/prompt-scale.ts'
import { statedRoom } from '../../src/limiter/stated-room.ts'

const BOUNDS = { start: 20, min: 20, max: 200 }
const sample = (changes: Partial<LoadSample> = {}): LoadSample => ({
  ms: 100,
  inFlight: 20,
  dropped: false,
  startedAt: 0,
  now: 100,
  ...changes,
})

const anySample = fc.record({
  ms: fc.double({ min: 0, max: 60_000, noNaN: true }),
  inFlight: fc.nat(250),
  dropped: fc.boolean(),
  age: fc.nat(5_000),
  passed: fc.nat(1_000),
})

type AnySample = typeof anySample extends fc.Arbitrary<infer T> ? T : never

/** Drives a limit with samples in order of time, and a reference model beside it. */
function follow(limit: AdaptiveLimit, reference: (sample: LoadSample) => number): (given: readonly AnySample[]) => void {
  return (given) => {
    let now = 1_000_000
    for (const { ms, inFlight, dropped, age, passed } of given) {
      now += passed
      const one = { ms, inFlight, dropped, startedAt: now - age, now }
      limit.observe(one)
      expect(limit.limit).toBe(reference(one))
    }
  }
}

describe('additive increase, multiplicative decrease', () => {
  test('does what its three rules say of any run of samples', () => {
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 300, size: 'max' }), (given) => {
        let limit = 20
        let good = 0
        let cutAt = Number.NEGATIVE_INFINITY
        follow(aimdLimit(BOUNDS), ({ dropped, startedAt, now }) => {
          if (dropped && startedAt >= cutAt) {
            limit = Math.max(20, limit * 0.9)
            cutAt = now
            good = 0
          } else if (!dropped) {
            good++
            if (good >= limit) {
              limit = Math.min(200, limit + 1)
              good = 0
            }
          }
          return Math.floor(limit)
        })(given)
      }),
    )
  })

  test('a burst of drops of one round trip cuts once', () => {
    const limit = aimdLimit({ start: 100, min: 1, max: 200 })
    for (let i = 0; i < 50; i++) limit.observe(sample({ dropped: true, startedAt: 0, now: 100 + i }))
    expect(limit.limit).toBe(90)
    limit.observe(sample({ dropped: true, startedAt: 150, now: 300 }))
    expect(limit.limit).toBe(81)
  })
})

describe('the gradient', () => {
  test('does what the published formula says of any run of samples', () => {
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 700, size: 'max' }), (given) => {
        let limit = 20
        let long = 0
        let count = 0
        follow(gradientLimit(BOUNDS), ({ ms, inFlight, dropped }) => {
          if (!dropped) {
            const short = Math.max(1, ms)
            count++
            const weight = count <= 10 ? 1 / count : 2 / 601
            long = long + (short - long) * weight
            if (long / short > 2) long *= 0.95
            if (inFlight >= limit / 2) {
              const gradient = Math.max(0.5, Math.min(1, (1.5 * long) / short))
              const next = limit * gradient + 4
              limit = Math.max(20, Math.min(200, limit * 0.8 + next * 0.2))
            }
          }
          return Math.floor(limit)
        })(given)
      }),
    )
  })

  test('grows while times stay, shrinks when they triple, and comes back', () => {
    const limit = gradientLimit(BOUNDS)
    const run = (times: number, ms: number): number => {
      for (let i = 0; i < times; i++) limit.observe(sample({ ms, inFlight: limit.limit }))
      return limit.limit
    }
    expect(run(300, 100)).toBe(200)
    const pressed = run(40, 600)
    expect(pressed).toBeLessThan(60)
    expect(run(300, 100)).toBe(200)
  })

  test('does not grow while less than half of it is used', () => {
    const limit = gradientLimit(BOUNDS)
    for (let i = 0; i < 300; i++) limit.observe(sample({ inFlight: 9 }))
    expect(limit.limit).toBe(20)
  })
})

describe('whatever it sees', () => {
  test.each(['gradient', 'aimd'] as const)('%s stays in its bounds, whole', (algorithm) => {
    const bounds = fc.record({
      start: fc.integer({ min: 1, max: 500 }),
      min: fc.integer({ min: 1, max: 100 }),
      max: fc.integer({ min: 1, max: 400 }),
    })
    fc.assert(
      fc.property(bounds, fc.array(anySample, { maxLength: 100, size: 'max' }), (given, samples) => {
        const limit = adaptiveLimit({ algorithm, ...given })
        for (const { age, passed, ...one } of samples) limit?.observe({ ...one, startedAt: passed, now: passed + age })
        expect(limit?.limit).toBeGreaterThanOrEqual(given.min)
        expect(limit?.limit).toBeLessThanOrEqual(Math.max(given.min, given.max))
        expect(Number.isInteger(limit?.limit)).toBe(true)
      }),
    )
  })

  test('off is none', () => {
    expect(adaptiveLimit({ algorithm: 'off', ...BOUNDS })).toBeUndefined()
  })
})

describe('prompts of unlike length', () => {
  test('are made comparable: a long one that takes its usual time is no load', () => {
    const scale = new PromptScale()
    let short = 0
    let long = 0
    for (let i = 0; i < 2_000; i++) {
      short = scale.scaled(100, 500)
      long = scale.scaled(1_000, 50_000)
    }
    expect(long / short).toBeCloseTo(1, 1)
    expect(scale.scaled(3_000, 50_000) / long).toBeGreaterThan(2.5)
  })

  test.each([undefined, 0, -1, Number.NaN, 'many'])('a length of %s changes nothing', (tokens) => {
    expect(new PromptScale().scaled(123, tokens)).toBe(123)
  })
})

describe('the room that headers state', () => {
  test.each<[string, unknown, unknown, number | undefined]>([
    ['requests', { 'x-ratelimit-remaining-requests': '59' }, undefined, 59],
    ['as Anthropic says it', { 'anthropic-ratelimit-requests-remaining': '4' }, undefined, 4],
    ['tokens, by the length of the prompt', { 'x-ratelimit-remaining-tokens': '1000' }, 300, 3],
    ['tokens of an unknown prompt', { 'x-ratelimit-remaining-tokens': '1000' }, undefined, undefined],
    ['the lesser of both', { 'x-ratelimit-remaining-requests': '9', 'x-ratelimit-remaining-tokens': '1000' }, 500, 2],
    ['none', {}, 500, undefined],
    ['no headers', undefined, 500, undefined],
    ['nonsense', { 'x-ratelimit-remaining-requests': 'many' }, 1, undefined],
    ['less than nothing', { 'x-ratelimit-remaining-requests': '-1' }, 1, undefined],
    ['nothing', { 'x-ratelimit-remaining-requests': ' ' }, 1, undefined],
  ])('%s', (_name, headers, inputTokens, room) => {
    expect(statedRoom(headers, inputTokens)).toBe(room)
  })
})
