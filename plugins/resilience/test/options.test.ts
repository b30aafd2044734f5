import { describe, expect, test } from 'vitest'
import { resilienceOptions } from '../src/options.ts'
import { settingsFor } from '../src/settings.ts'

const settings = (input: unknown, operation: string) => settingsFor(resilienceOptions.parse(input))(operation)

describe('what applies to an operation', () => {
  test('the defaults', () => {
    const retry = { maxAttempts: 3, backoffBaseMs: 250, backoffMaxMs: 8_000, retryAfterMaxMs: 30_000 }
    expect(settings({}, 'model.invoke')).toEqual({ deadline: { totalMs: 600_000 }, retry })
    expect(settings({}, 'sql.query')).toEqual({ deadline: { totalMs: 30_000 }, retry })
    expect(settings({}, 'constructor')).toEqual({ deadline: { totalMs: 600_000 }, retry })
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
  ])('%s', (_name, input) => {
    expect(resilienceOptions.safeParse(input).success).toBe(false)
  })
})
