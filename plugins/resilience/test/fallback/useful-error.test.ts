import { type ErrorCode, type ErrorOptions, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { moreUseful } from '../../src/fallback/useful-error.ts'

const error = (code: ErrorCode, options: ErrorOptions = {}): SwitchyardError => new SwitchyardError(code, 'x', options)

/** From the most useful down. */
const RANKED: readonly (readonly [string, unknown])[] = [
  ["the caller's mistake", error('UPSTREAM_REJECTED', { details: { status: 400 } })],
  ['a short delay', error('RATE_LIMITED', { retryAfterMs: 100 })],
  ['a long delay', error('CIRCUIT_OPEN', { retryAfterMs: 9_000, details: { guard: 'breaker' } })],
  ['a target that failed', error('UPSTREAM_UNAVAILABLE', { details: { status: 500 } })],
  ['our own guard', error('OVERLOADED', { details: { guard: 'bulkhead' } })],
  ['a bug', new TypeError('x is not a function')],
]

describe('the more useful of two errors', () => {
  test.each(RANKED.flatMap((first, at) => RANKED.slice(at + 1).map((second) => [first, second] as const)))(
    '%s, %s',
    ([, better], [, worse]) => {
      expect(moreUseful(better, worse)).toBe(better)
      expect(moreUseful(worse, better)).toBe(better)
    },
  )

  test('of two alike is the first', () => {
    const [first, second] = [error('UPSTREAM_UNAVAILABLE'), error('TIMEOUT')]
    expect(moreUseful(first, second)).toBe(first)
  })

  test('is not one about the key that we hold', () => {
    const key = error('UPSTREAM_REJECTED', { details: { status: 401 } })
    const delay = error('RATE_LIMITED', { retryAfterMs: 100 })
    expect(moreUseful(key, delay)).toBe(delay)
  })
})
