import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { microOfPico, nanoOfPico, nanoUsd, storable, usdOfNano, usdOfPico } from '../src/money.ts'

describe('money', () => {
  test.each([
    ['12.5', 12_500_000_000n],
    [0.1, 100_000_000n],
    ['25.000000004', 25_000_000_004n],
    [0, 0n],
    ['1e3', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    ['0.0000000001', undefined],
    ['', undefined],
  ])('%s USD', (usd, nano) => {
    expect(nanoUsd(usd)).toBe(nano)
  })

  test('text and nano-USD are the same amount both ways', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (nano) => {
        expect(nanoUsd(usdOfNano(nano))).toBe(nano)
        expect(usdOfPico(nano * 1_000n)).toBe(usdOfNano(nano))
      }),
    )
  })

  test('nano-USD are rounded up, micro-USD to the even half', () => {
    expect([0n, 1n, 1_000n, 1_001n].map(nanoOfPico)).toEqual([0n, 1n, 1n, 2n])
    expect([500_000n, 1_500_000n, 2_500_000n, 2_500_001n, 499_999n].map(microOfPico)).toEqual([0n, 2n, 2n, 3n, 0n])
    expect([-500_000n, -1_500_000n, -1_600_000n].map(microOfPico)).toEqual([0n, -2n, -2n])
  })

  test('amounts are rounded alike on both sides of what a number can hold', () => {
    const near = fc.bigInt({ min: 0n, max: 10n ** 9n }).map((rest) => 2n ** 53n - 5n * 10n ** 8n + rest)
    const amount = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.nat().map(BigInt), near)
    fc.assert(
      fc.property(amount, (pico) => {
        expect(nanoOfPico(pico)).toBe(pico / 1_000n + (pico % 1_000n > 0n ? 1n : 0n))
        const twice = (pico % 1_000_000n) * 2n
        const whole = pico / 1_000_000n
        const up = twice > 1_000_000n || (twice === 1_000_000n && whole % 2n === 1n)
        expect(microOfPico(pico)).toBe(whole + (up ? 1n : 0n))
        expect(microOfPico(-pico)).toBe(-microOfPico(pico))
      }),
    )
    for (const odd of [1n, 3n, 2n ** 40n + 1n]) expect(microOfPico(odd * 1_000_000n + 500_000n)).toBe(odd + 1n)
  })

  test('what a number cannot hold is digits, and what a column cannot is the most it can', () => {
    expect([storable(5n), storable(2n ** 59n)]).toEqual([5, '576460752303423488'])
    expect([storable(2n ** 70n), storable(-(2n ** 70n))]).toEqual([`1${'0'.repeat(18)}`, `-1${'0'.repeat(18)}`])
  })
})
