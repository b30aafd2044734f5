import { describe, expect, test } from 'vitest'
import { resilienceOptions } from '../src/options.ts'
import { anywhere, DEFAULTS, settingsFor } from '../src/settings.ts'

const settings = (input: unknown, operation: string) => settingsFor(resilienceOptions.parse(input))(operation)

describe('what applies to an operation', () => {
  test('the defaults', () => {
    expect(settings({}, 'model.invoke')).toEqual(DEFAULTS)
    expect(settings({}, 'sql.query')).toEqual({ ...DEFAULTS, deadline: { totalMs: 30_000 } })
    expect(settings({}, 'constructor')).toEqual(DEFAULTS)
    expect(DEFAULTS).toMatchObject({
      attempts: { maxAttempts: 4, streamFirstMs: 60_000, wholeReplyMs: false },
      retry: { budgetRatio: 0.2, budgetFloor: 10 },
      breaker: { failureRate: 0.5, minSamples: 20, consecutiveFailures: 5, openMs: 15_000, openMaxMs: 300_000, probes: 3 },
      quarantine: { enabled: true, forMs: 300_000, maxMs: 3_600_000 },
      bulkhead: { queueSize: 100, queueWaitMs: 2_000 },
      limiter: { algorithm: 'off' },
      hedge: { enabled: false, ratio: 0.05, minSamples: 100 },
      degrade: { ladder: [] },
    })
  })

  test('where an undefined stands nothing is given', () => {
    expect(settings({ retry: { maxAttempts: undefined }, breaker: undefined }, 'sql.query').retry.maxAttempts).toBe(3)
  })

  test('what holds anywhere: for all, or for one that is named', () => {
    const hedges = (input: unknown): boolean => anywhere(resilienceOptions.parse(input), ({ hedge }) => hedge.enabled)
    expect(hedges({})).toBe(false)
    expect(hedges({ hedge: { enabled: true } })).toBe(true)
    expect(hedges({ operations: { 'fax.send': { hedge: { enabled: true } } } })).toBe(true)
    expect(hedges({ hedge: { enabled: false }, operations: { 'fax.send': { hedge: {} } } })).toBe(false)
  })

  test('what is given for all beats the built-in of one', () => {
    expect(settings({ deadline: { totalMs: 5_000 } }, 'sql.query').deadline.totalMs).toBe(5_000)
    expect(settings({ deadline: { totalMs: false } }, 'sql.query').deadline.totalMs).toBe(false)
  })

  test('what is given for one beats what is given for all, field by field', () => {
    const input = {
      deadline: { totalMs: 5_000 },
      retry: { maxAttempts: 5, backoffBaseMs: 0 },
      operations: { 'sql.query': { retry: { maxAttempts: 1 } }, 'fax.send': { deadline: { totalMs: false } } },
    }
    expect(settings(input, 'sql.query')).toMatchObject({
      deadline: { totalMs: 5_000 },
      retry: { maxAttempts: 1, backoffBaseMs: 0 },
    })
    expect(settings(input, 'fax.send')).toMatchObject({ deadline: { totalMs: false }, retry: { maxAttempts: 5 } })
  })

  test('is worked out once', () => {
    const lookup = settingsFor(resilienceOptions.parse({}))
    expect(lookup('sql.query')).toBe(lookup('sql.query'))
  })
})

describe('options that are refused', () => {
  test.each([
    ['an unknown key', { timeout: 3 }],
    ['an unknown key inside', { retry: { attempts: 3 } }],
    ['an unknown key of an operation', { operations: { 'sql.query': { timeout: 3 } } }],
    ['an operation without a verb', { operations: { sql: {} } }],
    ['no attempt at all', { retry: { maxAttempts: 0 } }],
    ['attempts without end', { retry: { maxAttempts: 21 } }],
    ['a deadline of nothing', { deadline: { totalMs: 0 } }],
    ['a deadline of true', { deadline: { totalMs: true } }],
    ['more than a timer carries', { deadline: { totalMs: 2 ** 31 } }],
    ['a fraction', { retry: { backoffBaseMs: 0.5 } }],
    ['less than nothing', { retry: { retryAfterMaxMs: -1 } }],
    ['a rate above all', { breaker: { failureRate: 1.1 } }],
    ['a rate of none', { breaker: { slowRate: 0 } }],
    ['an unknown algorithm', { limiter: { algorithm: 'vegas' } }],
    ['an unknown rung', { degrade: { ladder: ['shrug'] } }],
    ['a static answer without words', { degrade: { ladder: ['static-answer'] } }],
    ['marks of the node for one operation', { operations: { 'sql.query': { pressure: {} } } }],
    ['marks that would flap', { pressure: { loopDelayOnMs: 50, loopDelayOffMs: 50 } }],
    ['marks of calls that would flap', { pressure: { inFlightOn: 10, inFlightOff: 10 } }],
    ['marks of the loop that would flap', { pressure: { loopUtilisationOn: 0.8 } }],
    ['marks of the heap that would flap', { pressure: { heapShareOn: 0.7, heapShareOff: 0.7 } }],
    ['marks of sockets that would flap', { pressure: { socketsOn: 10, socketsOff: 11 } }],
    ['a weight of nothing', { bulkhead: { tenantWeights: { acme: 0 } } }],
  ])('%s', (_name, input) => {
    expect(resilienceOptions.safeParse(input).success).toBe(false)
  })
})
