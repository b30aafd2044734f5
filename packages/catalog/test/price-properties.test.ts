import type { Usage } from '@switchyard/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cost, microUsd, price } from '../src/index.ts'
import { tokenParts } from '../src/price/usage.ts'
import { entryOf } from './support.ts'

const amount = fc.integer({ min: 1, max: 600_000_000 })
const perToken = fc.record(
  {
    input: amount,
    output: amount,
    cacheRead: amount,
    cacheWrite5m: amount,
    cacheWrite1h: amount,
    reasoning: amount,
    audioIn: amount,
    audioOut: amount,
    imageIn: amount,
    imageOut: amount,
  },
  { requiredKeys: ['input', 'output'] },
)
const tokens = fc.integer({ min: 0, max: 2_000_000_000 })

/** Usage whose parts lie within their totals, as model-wire hands it on. */
const usage = fc
  .record({
    plain: tokens,
    read: tokens,
    write: tokens,
    hour: fc.double({ min: 0, max: 1, noNaN: true }),
    audio: tokens,
    out: tokens,
    reasoning: tokens,
  })
  .map(
    ({ plain, read, write, hour, audio, out, reasoning }): Usage => ({
      inputTokens: plain + read + write + audio,
      outputTokens: out + reasoning,
      cacheReadTokens: read,
      cacheWriteTokens: write,
      cacheWrite1hTokens: Math.floor(write * hour),
      audioInputTokens: audio,
      reasoningTokens: reasoning,
    }),
  )

const sum = (a: Usage, b: Usage): Usage =>
  Object.fromEntries(Object.entries(a).map(([field, value]) => [field, value + (b[field as keyof Usage] as number)])) as never

const costOf = (prices: object, used: Usage): Cost => price(entryOf({ prices: [{ perToken: prices }] }), used) as Cost

test('the cost of two usages is the sum of their costs', () => {
  fc.assert(
    fc.property(perToken, usage, usage, (prices, a, b) => {
      expect(costOf(prices, sum(a, b)).pico).toBe(costOf(prices, a).pico + costOf(prices, b).pico)
    }),
  )
})

test('more of any part never costs less, and nothing is ever below 0', () => {
  fc.assert(
    fc.property(perToken, usage, usage, (prices, a, b) => {
      const one = costOf(prices, a).pico
      expect(one).toBeGreaterThanOrEqual(0n)
      expect(costOf(prices, sum(a, b)).pico).toBeGreaterThanOrEqual(one)
    }),
  )
})

test('a dearer price never makes it cheaper', () => {
  fc.assert(
    fc.property(perToken, usage, fc.integer({ min: 0, max: 1_000_000 }), (prices, used, more) => {
      const dearer = Object.fromEntries(Object.entries(prices).map(([field, each]) => [field, (each as number) + more]))
      expect(costOf(dearer, used).pico).toBeGreaterThanOrEqual(costOf(prices, used).pico)
    }),
  )
})

test('parts are exact: each is its tokens times its price, together they are all tokens and the whole cost', () => {
  fc.assert(
    fc.property(perToken, usage, (prices, used) => {
      const { parts, pico } = costOf(prices, used)
      expect(parts.every((part) => part.pico === BigInt(part.quantity) * BigInt(part.each))).toBe(true)
      expect(parts.reduce((total, part) => total + part.pico, 0n)).toBe(pico)
      expect(parts.reduce((total, part) => total + part.quantity, 0)).toBe(used.inputTokens + used.outputTokens)
    }),
  )
})

test('micro-USD are never less than the cost, and less than one more', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 21n }), (pico) => {
      const micro = BigInt(microUsd(pico)) * 1_000_000n
      expect(micro >= pico && micro - pico < 1_000_000n).toBe(true)
    }),
  )
})

test('no token is lost or made when a usage is taken apart', () => {
  fc.assert(
    fc.property(usage, (used) => {
      const { input, cacheRead, cacheWrite5m, cacheWrite1h, audioIn, imageIn, ...out } = tokenParts(used)
      expect(input + cacheRead + cacheWrite5m + cacheWrite1h + audioIn + imageIn).toBe(used.inputTokens)
      expect(Object.values(out).reduce((a, b) => a + b)).toBe(used.outputTokens)
    }),
  )
})
