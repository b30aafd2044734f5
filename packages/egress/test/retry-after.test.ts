import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retryAfterMs } from '../src/index.ts'

/** Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
const NOW = Date.UTC(1994, 10, 6, 8, 49, 37)
const CAP = 600_000

const after = (value: string): Record<string, string> => ({ 'retry-after': value })

const TABLE: readonly (readonly [what: string, headers: Record<string, string>, expected: number | undefined])[] = [
  ['nothing', {}, undefined],
  ['0', after('0'), 0],
  ['1', after('1'), 1_000],
  ['1.5', after('1.5'), 1_500],
  ['spaces around', after('  2 '), 2_000],
  ['negative', after('-5'), undefined],
  ['empty', after(''), undefined],
  ['blank', after('   '), undefined],
  ['words', after('soon'), undefined],
  ['a number and words', after('5 seconds'), undefined],
  ['1e999', after('1e999'), undefined],
  ['400 digits', after('9'.repeat(400)), undefined],
  ['hexadecimal', after('0x10'), undefined],
  ['Infinity', after('Infinity'), undefined],
  ['NaN', after('NaN'), undefined],
  ['a day, capped', after('86400'), CAP],
  ['IMF-fixdate', after('Sun, 06 Nov 1994 08:50:07 GMT'), 30_000],
  ['RFC 850 date', after('Sunday, 06-Nov-94 08:50:07 GMT'), 30_000],
  ['asctime date', after('Sun Nov  6 08:50:07 1994'), 30_000],
  ['a date in the past', after('Sun, 06 Nov 1994 08:00:00 GMT'), 0],
  ['a date far off, capped', after('Fri, 31 Dec 9999 23:59:59 GMT'), CAP],
  ['no such month', after('Sun, 06 Abc 1994 08:50:07 GMT'), undefined],
  ['no such day', after('Sun, 31 Feb 1994 08:50:07 GMT'), undefined],
  ['no such hour', after('Sun, 06 Nov 1994 25:50:07 GMT'), undefined],
  ['a date in another zone', after('Sun, 06 Nov 1994 08:50:07 PST'), undefined],
  ['ISO', after('1994-11-06T08:50:07Z'), 30_000],
  ['ISO with offset', after('1994-11-06T09:50:07.000+01:00'), 30_000],
  ['ISO without zone is UTC', after('1994-11-06 08:50:07'), 30_000],
  ['ISO that is none', after('1994-99-99T99:99:99Z'), undefined],
  ['a server clock a day ahead', { date: 'Mon, 07 Nov 1994 08:49:37 GMT', ...after('Mon, 07 Nov 1994 08:50:07 GMT') }, 30_000],
  [
    'a server clock a year behind',
    { date: 'Sat, 06 Nov 1993 08:49:37 GMT', ...after('Sat, 06 Nov 1993 08:50:07 GMT') },
    30_000,
  ],
  ['an unreadable date header', { date: 'yesterday', ...after('Sun, 06 Nov 1994 08:50:07 GMT') }, 30_000],
  ['a delay does not look at the date', { date: 'Mon, 07 Nov 1994 08:49:37 GMT', ...after('7') }, 7_000],
  ['two lines', after('1, 3'), 3_000],
  ['two lines, one unreadable', after('soon, 3'), 3_000],
  ['two dates', after('Sun, 06 Nov 1994 08:50:07 GMT, Sun, 06 Nov 1994 08:50:37 GMT'), 60_000],
  ['a delay and an RFC 850 date', after('1, Sunday, 06-Nov-94 08:50:07 GMT'), 30_000],
  ['retry-after-ms', { 'retry-after-ms': '250' }, 250],
  ['retry-after-ms with a fraction', { 'retry-after-ms': '250.5' }, 250.5],
  ['retry-after-ms, capped', { 'retry-after-ms': '99999999' }, CAP],
  ['retry-after-ms over retry-after', { 'retry-after-ms': '250', 'retry-after': '1' }, 250],
  ['retry-after-ms unreadable', { 'retry-after-ms': 'x', 'retry-after': '1' }, 1_000],
  ['retry-after-ms negative', { 'retry-after-ms': '-1', 'retry-after': '1' }, 1_000],
  ['x-ms-retry-after-ms', { 'x-ms-retry-after-ms': '125' }, 125],
  ['retry-after over a reset', { 'retry-after': '1', 'x-ratelimit-reset': '40' }, 1_000],
  ['an unreadable retry-after leaves the reset', { 'retry-after': 'soon', 'x-ratelimit-reset': '40' }, 40_000],
  ['RateLimit with nothing left', { ratelimit: '"d";r=0;t=1' }, 1_000],
  ['RateLimit with something left', { ratelimit: '"d";r=3;t=1' }, undefined],
  ['RateLimit of two policies', { ratelimit: '"minute";r=0;t=20, "day";r=7;t=9000' }, 20_000],
  ['RateLimit of two used up', { ratelimit: '"minute";r=0;t=20, "hour";r=0;t=90' }, 90_000],
  ['RateLimit without t', { ratelimit: '"d";r=0' }, undefined],
  ['RateLimit of the older draft', { ratelimit: 'limit=100, remaining=0, reset=50' }, 50_000],
  ['RateLimit of the older draft, something left', { ratelimit: 'limit=100, remaining=9, reset=50' }, undefined],
  ['RateLimit over a reset', { ratelimit: '"d";r=0;t=1', 'x-ratelimit-reset': '40' }, 1_000],
  ['reset in seconds', { 'ratelimit-reset': '30', 'ratelimit-remaining': '0' }, 30_000],
  ['reset with something left', { 'ratelimit-reset': '30', 'ratelimit-remaining': '5' }, undefined],
  [
    'reset in ISO',
    { 'anthropic-ratelimit-tokens-reset': '1994-11-06T08:50:07Z', 'anthropic-ratelimit-tokens-remaining': '0' },
    30_000,
  ],
  ['reset as a duration', { 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
  ['reset as milliseconds', { 'x-ratelimit-reset-requests': '120ms' }, 120],
  ['reset as 1m2.5s', { 'x-ratelimit-reset-requests': '1m2.5s' }, 62_500],
  ['reset as 1h, capped', { 'x-ratelimit-reset-requests': '1h' }, CAP],
  ['reset-after', { 'x-ratelimit-reset-after': '2.5' }, 2_500],
  ['x-rate-limit-reset', { 'x-rate-limit-reset': '3' }, 3_000],
  [
    'only the limit that is used up',
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-remaining-tokens': '999',
      'x-ratelimit-reset-tokens': '6m',
    },
    1_000,
  ],
]

describe('retryAfterMs', () => {
  test.each(TABLE)('%s', (_what, headers, expected) => {
    expect(retryAfterMs(headers, NOW, CAP)).toBe(expected)
  })

  test.each([
    ['seconds', 1_760_000_030],
    ['milliseconds', 1_760_000_030_000],
  ])('epoch %s', (_unit, value) => {
    const now = 1_760_000_000_000
    for (const name of ['retry-after', 'x-ratelimit-reset', 'ratelimit-reset']) {
      expect(retryAfterMs({ [name]: String(value) }, now, CAP)).toBe(30_000)
      expect(retryAfterMs({ [name]: String(value) }, now + 60_000, CAP)).toBe(0)
    }
  })

  test('a cap below zero, or none, is still finite', () => {
    expect(retryAfterMs({ 'retry-after': '5' }, NOW, -1)).toBe(0)
    expect(retryAfterMs({ 'retry-after': '5' }, NOW, Number.POSITIVE_INFINITY)).toBe(5_000)
  })

  test('whatever the headers say, the answer is finite, from 0 to the cap, or none', () => {
    const name = fc.constantFrom(
      'retry-after',
      'retry-after-ms',
      'x-ms-retry-after-ms',
      'date',
      'ratelimit',
      'x-ratelimit-reset',
      'ratelimit-remaining',
    )
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.bigInt().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom(...TABLE.flatMap(([, headers]) => Object.values(headers))),
    )
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.nat(CAP), (headers, cap) => {
        const ms = retryAfterMs(headers, NOW, cap)
        expect(ms === undefined || (Number.isFinite(ms) && ms >= 0 && ms <= cap)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('hostile input costs no time', () => {
    const hostile = [`${'1,'.repeat(50_000)}`, `${' '.repeat(100_000)}x`, `sun${'a'.repeat(100_000)},`, ','.repeat(100_000)]
    const startedAt = performance.now()
    for (const text of hostile) {
      for (const name of ['retry-after', 'retry-after-ms', 'ratelimit', 'x-ratelimit-reset'])
        retryAfterMs({ [name]: text }, NOW, CAP)
    }
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})
