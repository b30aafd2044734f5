import { calcPrice, extractUsage, findProvider, type Provider, waitForUpdate } from '@pydantic/genai-prices'
import type { Usage } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ENDED_BETA, type GenaiTable, genaiRows } from '../scripts/sources/genai-prices.ts'
import { type Entry, microUsd, price } from '../src/index.ts'
import { entryOf, priced } from './support.ts'

/** The package's built-in table: `waitForUpdate` asks no network unless told to. */
const table = (await waitForUpdate()) as Provider[]
const AT = new Date('2026-09-23T03:00:00Z')

/** One model of the oracle, with the same prices in our schema: the seed holds those prices too, so it could not contradict them. */
interface Pair {
  readonly provider: string
  readonly model: string
  readonly entry: Entry
}

const pairs: readonly Pair[] = table.flatMap(({ id, models }) =>
  models.flatMap((model): Pair[] => {
    const [row] = genaiRows([{ id, models: [model] }] as unknown as GenaiTable, '2026-09-23')
    const prices = row?.prices ?? []
    const byTokens = prices.some(
      ({ perToken, perUnit }) => perToken.input !== undefined && perToken.output !== undefined && perUnit.request === undefined,
    )
    // A name that another model's pattern takes first is priced by that one.
    const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model.id, { providerId: id, timestamp: AT })
    return byTokens && found?.model.id === model.id && !ENDED_BETA.test(model.id)
      ? [{ provider: id, model: model.id, entry: entryOf({ prices }) }]
      : []
  }),
)

const oracle = ({ provider, model }: Pair, usage: Usage, at: Date = AT): number | undefined =>
  calcPrice(
    {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      cache_write_1h_tokens: usage.cacheWrite1hTokens,
    },
    model,
    { providerId: provider, timestamp: at },
  )?.total_price

const ours = ({ entry }: Pair, usage: Usage, at: Date = AT): number =>
  Number(price(entry, usage, { at: at.getTime() })?.pico) / 1e12

/** Our prices are whole pico-USD a token: half of one is the most that rounding a price can make a token differ. */
const tolerance = ({ inputTokens, outputTokens }: Usage, cost: number): number =>
  (inputTokens + outputTokens) * 0.5e-12 + Math.max(1, cost) * 1e-12

/** Only parts that the model has a price for: what a missing one costs is a rule of ours. */
function usageOf(
  { entry }: Pair,
  parts: readonly [plain: number, read: number, write: number, hour: number, out: number],
): Usage {
  const known = entry.prices[0]?.perToken
  const [plain, cacheRead, cacheWrite, hour, outputTokens] = parts
  const cacheReadTokens = known?.cacheRead === undefined ? 0 : cacheRead
  const cacheWriteTokens = known?.cacheWrite5m === undefined ? 0 : cacheWrite
  const cacheWrite1hTokens = known?.cacheWrite1h === undefined ? 0 : Math.min(hour, cacheWriteTokens)
  return {
    inputTokens: plain + cacheReadTokens + cacheWriteTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens,
  }
}

describe('where the oracle is right, our arithmetic is the same', () => {
  test('it speaks for over a thousand models', () => {
    expect(pairs.length).toBeGreaterThan(1_000)
  })

  test('every one of them, at short, long and just about the threshold', () => {
    const different = pairs.flatMap((pair) =>
      (
        [
          [1_000, 0, 0, 0, 500],
          [195_000, 100_000, 5_000, 1_000, 700],
          [271_999, 0, 0, 0, 1],
          [272_000, 0, 0, 0, 1],
        ] as const
      ).flatMap((parts) => {
        const usage = usageOf(pair, parts)
        const [mine, theirs] = [ours(pair, usage), oracle(pair, usage) ?? Number.NaN]
        return Math.abs(mine - theirs) <= tolerance(usage, mine)
          ? []
          : [`${pair.provider}/${pair.model} ${parts}: ${mine}, ${theirs}`]
      }),
    )
    expect(different).toEqual([])
  })

  test('random usage of random models', () => {
    const tokens = fc.integer({ min: 0, max: 400_000 })
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.tuple(tokens, tokens, tokens, tokens, tokens), (pair, parts) => {
        const usage = usageOf(pair, parts)
        const mine = ours(pair, usage)
        expect(Math.abs(mine - (oracle(pair, usage) ?? Number.NaN))).toBeLessThanOrEqual(tolerance(usage, mine))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('where the oracle is wrong or silent', () => {
  const claude = priced({ usd: { input: 3, output: 15, cacheRead: 0.3, cacheWrite5m: 3.75, cacheWrite1h: 6 } })
  const provider = (id: string): Provider => table.find((one) => one.id === id) as Provider
  /** What Bedrock's Claude sends behind Portkey: 1,000 fresh, 8,000 read, 2,000 written. */
  const body = (prompt: number): object => ({
    model: 'claude-sonnet-4-5',
    usage: {
      prompt_tokens: prompt,
      completion_tokens: 500,
      total_tokens: 11_500,
      cache_read_input_tokens: 8_000,
      cache_creation_input_tokens: 2_000,
      prompt_tokens_details: { cached_tokens: 8_000 },
    },
  })
  const extracted = (flavourOf: string): number | undefined => {
    const { usage } = extractUsage(provider(flavourOf), body(11_000), 'chat')
    return calcPrice(usage, 'claude-sonnet-4-5', { providerId: 'anthropic', timestamp: AT })?.total_price
  }

  test('a Portkey reply: ours is 0.0204, it loses the cache fields by one flavour and the writes by the other', () => {
    const usage = { inputTokens: 11_000, outputTokens: 500, cacheReadTokens: 8_000, cacheWriteTokens: 2_000 }
    expect(microUsd(price(claude, usage)?.pico ?? 0n)).toBe(20_400)
    expect(extracted('anthropic')).toBeCloseTo(0.0405, 9)
    expect(extracted('openai')).toBeCloseTo(0.0189, 9)
  })

  test('cache reads beyond the input, as Anthropic behind Portkey sends them, are an error there', () => {
    const { usage } = extractUsage(provider('openai'), body(1_000), 'chat')
    expect(() => calcPrice(usage, 'claude-sonnet-4-5', { providerId: 'anthropic', timestamp: AT })).toThrow(/cannot exceed/)
  })

  test('Portkey’s slugs are unknown to it, or name another provider', () => {
    expect(findProvider({ providerId: 'azure-openai' })?.id).toBe('openai')
    expect(findProvider({ providerId: 'vertex-ai' })?.id).toBe('google')
    const unknown = ['fireworks-ai', 'perplexity-ai', 'workers-ai', 'nebius', 'deepinfra', 'azure-ai']
    expect(unknown.filter((id) => findProvider({ providerId: id }) !== undefined)).toEqual([])
  })

  test('it prices the 1M beta of claude-sonnet-4-5, which has ended', () => {
    const cost = calcPrice({ input_tokens: 300_000, output_tokens: 0 }, 'claude-sonnet-4-5', {
      providerId: 'anthropic',
      timestamp: AT,
    })
    expect(cost?.total_price).toBeCloseTo(1.8, 9)
  })

  test('its table cannot hold a date and hours in one row: before the new hours it bills them already', () => {
    const pair = pairs.find(({ model }) => model === 'deepseek-v4-flash') as Pair
    const [before, usage] = [new Date('2026-08-01T03:00:00Z'), { inputTokens: 1_000_000, outputTokens: 0 }]
    expect([oracle(pair, usage, before), ours(pair, usage, before)]).toEqual([0.44, 0.14])
    expect([oracle(pair, usage), ours(pair, usage)]).toEqual([0.44, 0.44])
  })

  test('it has no tiers', () => {
    const entry = priced({ usd: { input: 2 } }, { tier: 'batch', usd: { input: 1 } })
    expect(price(entry, { inputTokens: 1, outputTokens: 0 }, { tier: 'batch' })?.pico).toBe(1_000_000n)
    expect(JSON.stringify(table)).not.toMatch(/"(batch|flex|priority)"/)
  })
})
