// house: data table
import type { PriceRow } from '@switchyard/catalog'

const plain = (perToken: PriceRow['perToken'], more: Partial<PriceRow> = {}): PriceRow => ({
  tier: 'standard',
  region: '*',
  perToken,
  perUnit: {},
  ...more,
})
const TOOLS = { webSearch: 10_000_000_000, fileSearch: 2_500_000_000 }
const DAY = { weekdays: [0, 1, 2, 3, 4, 5, 6], startMinute: 30, endMinute: 990 }

/** Prices that the corpus was worked out with, pico-USD each, as the seed has them (a test says where it has others by now). */
export const PRICES: Readonly<Record<string, readonly PriceRow[]>> = {
  'openai/gpt-5-mini': [
    plain({ input: 250_000, output: 2_000_000, cacheRead: 25_000 }, { perUnit: TOOLS }),
    plain({ input: 125_000, output: 1_000_000, cacheRead: 12_500 }, { tier: 'batch', from: '2025-08-07' }),
    plain({ input: 125_000, output: 1_000_000, cacheRead: 12_500 }, { tier: 'flex', from: '2025-08-07' }),
    plain({ input: 450_000, output: 3_600_000, cacheRead: 45_000 }, { tier: 'priority', from: '2025-08-07' }),
  ],
  'openai/gpt-audio': [plain({ input: 2_500_000, output: 10_000_000, audioIn: 32_000_000, audioOut: 64_000_000 })],
  'openai/gpt-5.4': [
    plain({ input: 2_500_000, cacheRead: 250_000, output: 15_000_000 }, { perUnit: TOOLS }),
    plain({ input: 5_000_000, cacheRead: 500_000, output: 22_500_000 }, { perUnit: TOOLS, contextOver: 271_999 }),
  ],
  'openai/whisper-1': [plain({}, { perUnit: { second: 100_000_000 } })],
  'openai/gpt-4o-transcribe': [plain({ input: 2_500_000, output: 10_000_000, audioIn: 6_000_000 })],
  'openai/gpt-image-1': [plain({ input: 5_000_000, cacheRead: 1_250_000, output: 40_000_000, imageIn: 10_000_000 })],
  'openai/text-embedding-3-small': [plain({ input: 20_000 })],
  'anthropic/claude-sonnet-4-5': [
    plain(
      { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite5m: 3_750_000, cacheWrite1h: 6_000_000 },
      { perUnit: { webSearch: 10_000_000_000 } },
    ),
    plain({ input: 1_500_000, output: 7_500_000 }, { tier: 'batch', from: '2025-09-29' }),
  ],
  'google/gemini-2.5-pro': [
    plain({ input: 1_250_000, cacheRead: 125_000, output: 10_000_000 }),
    plain({ input: 2_500_000, cacheRead: 250_000, output: 15_000_000 }, { contextOver: 200_000 }),
    plain({ input: 625_000, output: 5_000_000 }, { tier: 'batch', from: '2025-07-07' }),
    plain({ input: 1_250_000, output: 7_500_000 }, { tier: 'batch', contextOver: 200_000, from: '2025-07-07' }),
  ],
  'google/gemini-2.5-flash': [
    plain({ input: 300_000, output: 2_500_000, cacheRead: 30_000, audioIn: 1_000_000 }),
    plain({ input: 150_000, output: 1_250_000 }, { tier: 'batch', from: '2025-07-07' }),
  ],
  'deepseek/deepseek-chat': [
    plain({ input: 135_000, cacheRead: 35_000, output: 550_000 }),
    plain({ input: 270_000, cacheRead: 70_000, output: 1_100_000 }, { hours: DAY }),
  ],
  'deepseek/deepseek-reasoner': [
    plain({ input: 135_000, cacheRead: 35_000, output: 550_000 }),
    plain({ input: 550_000, cacheRead: 140_000, output: 2_190_000 }, { hours: DAY }),
  ],
  'x-ai/grok-4': [plain({ input: 3_000_000, output: 15_000_000, cacheRead: 750_000, reasoning: 15_000_000 })],
  'x-ai/grok-4.20': [
    plain({ input: 1_250_000, cacheRead: 200_000, output: 2_500_000 }),
    plain({ input: 2_500_000, cacheRead: 400_000, output: 5_000_000 }, { contextOver: 199_999 }),
  ],
  'mistral-ai/mistral-medium-latest': [
    plain({ input: 400_000, cacheRead: 40_000, output: 2_000_000 }, { until: '2026-06-16' }),
    plain({ input: 1_500_000, cacheRead: 150_000, output: 7_500_000 }, { from: '2026-06-16' }),
  ],
  'mistral-ai/voxtral-small-latest': [plain({ input: 100_000, output: 300_000 })],
  'groq/openai/gpt-oss-120b': [plain({ input: 150_000, output: 600_000, cacheRead: 75_000 })],
  'moonshot/kimi-k2.5': [plain({ input: 600_000, output: 3_000_000, cacheRead: 100_000 })],
  'perplexity-ai/sonar': [plain({ input: 1_000_000, output: 1_000_000 }, { perUnit: { request: 12_000_000_000 } })],
}
