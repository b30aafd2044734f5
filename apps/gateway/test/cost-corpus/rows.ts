// house: data table
import type { Bound } from '@switchyard/catalog'
import type { Dialect, Json } from './wire.ts'

/** A cost worked out by hand: quantities with what each costs in pico-USD, and their sum. */
export interface Worked {
  readonly of: readonly (readonly [quantity: number, each: number])[]
  readonly pico: bigint
}

export interface Row {
  readonly name: string
  readonly feature: 'cached' | 'reasoning' | 'audio' | 'tiered'
  readonly model: string
  readonly dialect: Dialect
  /** As a provider has it. */
  readonly usage: Json
  /** The reply's `service_tier`. */
  readonly tier?: string
  /** The request's. */
  readonly wished?: string
  /** Default: Tuesday 24 November 2026, 12:00 UTC. */
  readonly at?: string
  readonly whole: Worked
  /** Twelve tokens said, then broken off: by an error of the upstream, or by its client. */
  readonly broken: Worked
  /** How the whole cost relates to the true one. Default: exact. */
  readonly bound?: Bound
}

const openAi = (prompt: number, completion: number, more: Json = {}): Json => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  ...more,
})

/**
 * The prompt of every row is estimated at 13 tokens (Claude's count comes with the beginning of its stream), and what is said before a
 * stream breaks are twelve times four bytes, so twelve tokens.
 */
export const ROWS: readonly Row[] = [
  // OpenAI, chat. gpt-5-mini: 250,000 in, 25,000 cached, 2,000,000 out; priority 450,000 / 3,600,000; flex half of standard.
  {
    name: 'OpenAI chat: cached',
    feature: 'cached',
    model: 'openai/gpt-5-mini',
    dialect: 'chat',
    usage: openAi(2006, 300, {
      prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    }),
    tier: 'default',
    whole: {
      of: [
        [86, 250_000],
        [1920, 25_000],
        [300, 2_000_000],
      ],
      pico: 669_500_000n,
    },
    broken: {
      of: [
        [13, 250_000],
        [12, 2_000_000],
      ],
      pico: 27_250_000n,
    },
  },
  {
    name: 'OpenAI chat: reasoning',
    feature: 'reasoning',
    model: 'openai/gpt-5-mini',
    dialect: 'chat',
    usage: openAi(75, 1186, {
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1024, audio_tokens: 0 },
    }),
    tier: 'default',
    whole: {
      of: [
        [75, 250_000],
        [162, 2_000_000],
        [1024, 2_000_000],
      ],
      pico: 2_390_750_000n,
    },
    broken: {
      of: [
        [13, 250_000],
        [12, 2_000_000],
      ],
      pico: 27_250_000n,
    },
  },
  {
    name: 'OpenAI chat: audio in and out',
    feature: 'audio',
    model: 'openai/gpt-audio',
    dialect: 'chat',
    usage: openAi(400, 250, {
      prompt_tokens_details: { audio_tokens: 320, text_tokens: 80, cached_tokens: 0, image_tokens: 0 },
      completion_tokens_details: { audio_tokens: 200, text_tokens: 50, reasoning_tokens: 0 },
    }),
    whole: {
      of: [
        [80, 2_500_000],
        [320, 32_000_000],
        [50, 10_000_000],
        [200, 64_000_000],
      ],
      pico: 23_740_000_000n,
    },
    broken: {
      of: [
        [13, 2_500_000],
        [12, 10_000_000],
      ],
      pico: 152_500_000n,
    },
  },
  {
    name: 'OpenAI chat: priority',
    feature: 'tiered',
    model: 'openai/gpt-5-mini',
    dialect: 'chat',
    usage: openAi(500, 100),
    wished: 'priority',
    tier: 'priority',
    whole: {
      of: [
        [500, 450_000],
        [100, 3_600_000],
      ],
      pico: 585_000_000n,
    },
    broken: {
      of: [
        [13, 450_000],
        [12, 3_600_000],
      ],
      pico: 49_050_000n,
    },
  },
  {
    name: 'OpenAI chat: flex, cached',
    feature: 'tiered',
    model: 'openai/gpt-5-mini',
    dialect: 'chat',
    usage: openAi(10_000, 400, { prompt_tokens_details: { cached_tokens: 8000 } }),
    wished: 'flex',
    tier: 'flex',
    whole: {
      of: [
        [2000, 125_000],
        [8000, 12_500],
        [400, 1_000_000],
      ],
      pico: 750_000_000n,
    },
    broken: {
      of: [
        [13, 125_000],
        [12, 1_000_000],
      ],
      pico: 13_625_000n,
    },
  },
  {
    name: 'OpenAI chat: priority wished for, standard served',
    feature: 'tiered',
    model: 'openai/gpt-5-mini',
    dialect: 'chat',
    usage: openAi(1000, 100),
    wished: 'priority',
    tier: 'default',
    whole: {
      of: [
        [1000, 250_000],
        [100, 2_000_000],
      ],
      pico: 450_000_000n,
    },
    broken: {
      of: [
        [13, 250_000],
        [12, 2_000_000],
      ],
      pico: 27_250_000n,
    },
  },
  // OpenAI, responses. gpt-5.4: 2,500,000 in, 250,000 cached, 15,000,000 out; from 272,000 in: 5,000,000 / 500,000 / 22,500,000.
  {
    name: 'OpenAI responses: cached',
    feature: 'cached',
    model: 'openai/gpt-5.4',
    dialect: 'responses',
    usage: {
      input_tokens: 15_000,
      input_tokens_details: { cached_tokens: 12_800 },
      output_tokens: 700,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 15_700,
    },
    tier: 'default',
    whole: {
      of: [
        [2200, 2_500_000],
        [12_800, 250_000],
        [700, 15_000_000],
      ],
      pico: 19_200_000_000n,
    },
    broken: {
      of: [
        [13, 2_500_000],
        [12, 15_000_000],
      ],
      pico: 212_500_000n,
    },
  },
  {
    name: 'OpenAI responses: reasoning',
    feature: 'reasoning',
    model: 'openai/gpt-5.4',
    dialect: 'responses',
    usage: {
      input_tokens: 81,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 1035,
      output_tokens_details: { reasoning_tokens: 832 },
      total_tokens: 1116,
    },
    tier: 'default',
    whole: {
      of: [
        [81, 2_500_000],
        [203, 15_000_000],
        [832, 15_000_000],
      ],
      pico: 15_727_500_000n,
    },
    broken: {
      of: [
        [13, 2_500_000],
        [12, 15_000_000],
      ],
      pico: 212_500_000n,
    },
  },
  {
    name: 'OpenAI responses: one token over the step, all of it at the higher price',
    feature: 'tiered',
    model: 'openai/gpt-5.4',
    dialect: 'responses',
    usage: {
      input_tokens: 272_000,
      input_tokens_details: { cached_tokens: 200_000 },
      output_tokens: 1000,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 273_000,
    },
    tier: 'default',
    whole: {
      of: [
        [72_000, 5_000_000],
        [200_000, 500_000],
        [1000, 22_500_000],
      ],
      pico: 482_500_000_000n,
    },
    broken: {
      of: [
        [13, 2_500_000],
        [12, 15_000_000],
      ],
      pico: 212_500_000n,
    },
  },
  {
    name: 'OpenAI responses: the last token below the step',
    feature: 'tiered',
    model: 'openai/gpt-5.4',
    dialect: 'responses',
    usage: { input_tokens: 271_999, output_tokens: 1000, total_tokens: 272_999 },
    tier: 'default',
    whole: {
      of: [
        [271_999, 2_500_000],
        [1000, 15_000_000],
      ],
      pico: 694_997_500_000n,
    },
    broken: {
      of: [
        [13, 2_500_000],
        [12, 15_000_000],
      ],
      pico: 212_500_000n,
    },
  },
  {
    name: 'OpenAI responses: flex; what is broken off before the reply says so, as it was wished',
    feature: 'tiered',
    model: 'openai/gpt-5-mini',
    dialect: 'responses',
    usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
    wished: 'flex',
    tier: 'flex',
    whole: {
      of: [
        [1000, 125_000],
        [100, 1_000_000],
      ],
      pico: 225_000_000n,
    },
    broken: {
      of: [
        [13, 125_000],
        [12, 1_000_000],
      ],
      pico: 13_625_000n,
    },
  },
  // Anthropic. claude-sonnet-4-5: 3,000,000 in, 300,000 read, 3,750,000 and 6,000,000 written, 15,000,000 out; batch 1,500,000 / 7,500,000.
  {
    name: 'Anthropic: cache read, written for five minutes and for an hour',
    feature: 'cached',
    model: 'anthropic/claude-sonnet-4-5',
    dialect: 'messages',
    usage: {
      input_tokens: 21,
      cache_creation_input_tokens: 2388,
      cache_read_input_tokens: 188_086,
      cache_creation: { ephemeral_5m_input_tokens: 388, ephemeral_1h_input_tokens: 2000 },
      output_tokens: 393,
      service_tier: 'standard',
    },
    whole: {
      of: [
        [21, 3_000_000],
        [188_086, 300_000],
        [388, 3_750_000],
        [2000, 6_000_000],
        [393, 15_000_000],
      ],
      pico: 75_838_800_000n,
    },
    broken: {
      of: [
        [21, 3_000_000],
        [188_086, 300_000],
        [388, 3_750_000],
        [2000, 6_000_000],
        [12, 15_000_000],
      ],
      pico: 70_123_800_000n,
    },
  },
  {
    name: 'Anthropic: thinking is output',
    feature: 'reasoning',
    model: 'anthropic/claude-sonnet-4-5',
    dialect: 'messages',
    usage: {
      input_tokens: 60,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1500,
      output_tokens_details: { thinking_tokens: 1200 },
      service_tier: 'standard',
    },
    whole: {
      of: [
        [60, 3_000_000],
        [300, 15_000_000],
        [1200, 15_000_000],
      ],
      pico: 22_680_000_000n,
    },
    broken: {
      of: [
        [60, 3_000_000],
        [12, 15_000_000],
      ],
      pico: 360_000_000n,
    },
  },
  {
    name: 'Anthropic: batch',
    feature: 'tiered',
    model: 'anthropic/claude-sonnet-4-5',
    dialect: 'messages',
    usage: {
      input_tokens: 1000,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 500,
      service_tier: 'batch',
    },
    whole: {
      of: [
        [1000, 1_500_000],
        [500, 7_500_000],
      ],
      pico: 5_250_000_000n,
    },
    broken: {
      of: [
        [1000, 1_500_000],
        [12, 7_500_000],
      ],
      pico: 1_590_000_000n,
    },
  },
  // Gemini through OpenAI's dialect. 2.5-pro: 1,250,000 in, 125,000 cached, 10,000,000 out; over 200,000 in twice, and 15,000,000 out.
  {
    name: 'Gemini: cached',
    feature: 'cached',
    model: 'google/gemini-2.5-pro',
    dialect: 'chat',
    usage: openAi(4500, 120, { prompt_tokens_details: { cached_tokens: 4093 } }),
    whole: {
      of: [
        [407, 1_250_000],
        [4093, 125_000],
        [120, 10_000_000],
      ],
      pico: 2_220_375_000n,
    },
    broken: {
      of: [
        [13, 1_250_000],
        [12, 10_000_000],
      ],
      pico: 136_250_000n,
    },
  },
  {
    name: 'Gemini: thoughts that only the total knows',
    feature: 'reasoning',
    model: 'google/gemini-2.5-pro',
    dialect: 'chat',
    usage: { prompt_tokens: 10, completion_tokens: 50, total_tokens: 810 },
    whole: {
      of: [
        [10, 1_250_000],
        [50, 10_000_000],
        [750, 10_000_000],
      ],
      pico: 8_012_500_000n,
    },
    broken: {
      of: [
        [13, 1_250_000],
        [12, 10_000_000],
      ],
      pico: 136_250_000n,
    },
  },
  {
    name: 'Gemini: over 200,000 tokens',
    feature: 'tiered',
    model: 'google/gemini-2.5-pro',
    dialect: 'chat',
    usage: openAi(250_000, 1000),
    whole: {
      of: [
        [250_000, 2_500_000],
        [1000, 15_000_000],
      ],
      pico: 640_000_000_000n,
    },
    broken: {
      of: [
        [13, 1_250_000],
        [12, 10_000_000],
      ],
      pico: 136_250_000n,
    },
  },
  {
    name: 'Gemini: audio in', // 2.5-flash: 300,000 in, 1,000,000 sound, 2,500,000 out
    feature: 'audio',
    model: 'google/gemini-2.5-flash',
    dialect: 'chat',
    usage: openAi(1000, 100, { prompt_tokens_details: { audio_tokens: 900 } }),
    whole: {
      of: [
        [100, 300_000],
        [900, 1_000_000],
        [100, 2_500_000],
      ],
      pico: 1_180_000_000n,
    },
    broken: {
      of: [
        [13, 300_000],
        [12, 2_500_000],
      ],
      pico: 33_900_000n,
    },
  },
  // DeepSeek, dearer from 00:30 to 16:30 UTC. chat: 270,000 in, 70,000 cached, 1,100,000 out, half of it at night.
  {
    name: 'DeepSeek: cached, by its own names',
    feature: 'cached',
    model: 'deepseek/deepseek-chat',
    dialect: 'chat',
    usage: openAi(5000, 200, { prompt_cache_hit_tokens: 4096, prompt_cache_miss_tokens: 904 }),
    whole: {
      of: [
        [904, 270_000],
        [4096, 70_000],
        [200, 1_100_000],
      ],
      pico: 750_800_000n,
    },
    broken: {
      of: [
        [13, 270_000],
        [12, 1_100_000],
      ],
      pico: 16_710_000n,
    },
  },
  {
    name: 'DeepSeek: by night',
    feature: 'tiered',
    model: 'deepseek/deepseek-chat',
    dialect: 'chat',
    usage: openAi(5000, 200, {
      prompt_tokens_details: { cached_tokens: 4096 },
      prompt_cache_hit_tokens: 4096,
      prompt_cache_miss_tokens: 904,
    }),
    at: '2026-11-24T20:00:00Z',
    whole: {
      of: [
        [904, 135_000],
        [4096, 35_000],
        [200, 550_000],
      ],
      pico: 375_400_000n,
    },
    broken: {
      of: [
        [13, 135_000],
        [12, 550_000],
      ],
      pico: 8_355_000n,
    },
  },
  {
    name: 'DeepSeek: reasoning', // reasoner: 550,000 in, 2,190,000 out
    feature: 'reasoning',
    model: 'deepseek/deepseek-reasoner',
    dialect: 'chat',
    usage: openAi(20, 900, {
      prompt_cache_hit_tokens: 0,
      prompt_cache_miss_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 850 },
    }),
    whole: {
      of: [
        [20, 550_000],
        [50, 2_190_000],
        [850, 2_190_000],
      ],
      pico: 1_982_000_000n,
    },
    broken: {
      of: [
        [13, 550_000],
        [12, 2_190_000],
      ],
      pico: 33_430_000n,
    },
  },
  // xAI. grok-4: 3,000,000 in, 750,000 cached, 15,000,000 out and reasoned, the latter outside of the completion.
  {
    name: 'xAI: cached',
    feature: 'cached',
    model: 'x-ai/grok-4',
    dialect: 'chat',
    usage: openAi(1200, 60, {
      prompt_tokens_details: { text_tokens: 1200, audio_tokens: 0, image_tokens: 0, cached_tokens: 1088 },
      completion_tokens_details: { reasoning_tokens: 0 },
      num_sources_used: 0,
    }),
    whole: {
      of: [
        [112, 3_000_000],
        [1088, 750_000],
        [60, 15_000_000],
      ],
      pico: 2_052_000_000n,
    },
    broken: {
      of: [
        [13, 3_000_000],
        [12, 15_000_000],
      ],
      pico: 219_000_000n,
    },
  },
  {
    name: 'xAI: reasoning outside of the completion',
    feature: 'reasoning',
    model: 'x-ai/grok-4',
    dialect: 'chat',
    usage: {
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 135,
      prompt_tokens_details: { text_tokens: 32, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 94, audio_tokens: 0 },
    },
    whole: {
      of: [
        [32, 3_000_000],
        [9, 15_000_000],
        [94, 15_000_000],
      ],
      pico: 1_641_000_000n,
    },
    broken: {
      of: [
        [13, 3_000_000],
        [12, 15_000_000],
      ],
      pico: 219_000_000n,
    },
  },
  {
    name: 'xAI: from 200,000 tokens, that one included', // grok-4.20: 1,250,000 / 2,500,000, then twice as much
    feature: 'tiered',
    model: 'x-ai/grok-4.20',
    dialect: 'chat',
    usage: openAi(200_000, 500),
    whole: {
      of: [
        [200_000, 2_500_000],
        [500, 5_000_000],
      ],
      pico: 502_500_000_000n,
    },
    broken: {
      of: [
        [13, 1_250_000],
        [12, 2_500_000],
      ],
      pico: 46_250_000n,
    },
  },
  // Mistral. medium: 1,500,000 in, 150,000 cached, 7,500,000 out; 400,000 / 40,000 / 2,000,000 until 16 June 2026.
  {
    name: 'Mistral: cached',
    feature: 'cached',
    model: 'mistral-ai/mistral-medium-latest',
    dialect: 'chat',
    usage: openAi(3000, 150, { prompt_tokens_details: { cached_tokens: 2048 } }),
    whole: {
      of: [
        [952, 1_500_000],
        [2048, 150_000],
        [150, 7_500_000],
      ],
      pico: 2_860_200_000n,
    },
    broken: {
      of: [
        [13, 1_500_000],
        [12, 7_500_000],
      ],
      pico: 109_500_000n,
    },
  },
  {
    name: 'Mistral: the day before its prices changed',
    feature: 'tiered',
    model: 'mistral-ai/mistral-medium-latest',
    dialect: 'chat',
    usage: openAi(3000, 150, { prompt_tokens_details: { cached_tokens: 2048 } }),
    at: '2026-06-15T23:59:59Z',
    whole: {
      of: [
        [952, 400_000],
        [2048, 40_000],
        [150, 2_000_000],
      ],
      pico: 762_720_000n,
    },
    broken: {
      of: [
        [13, 400_000],
        [12, 2_000_000],
      ],
      pico: 29_200_000n,
    },
  },
  {
    name: 'Mistral: audio by the second, whose price nobody knows', // voxtral: 100,000 in, 300,000 out
    feature: 'audio',
    model: 'mistral-ai/voxtral-small-latest',
    dialect: 'chat',
    usage: openAi(400, 50, { prompt_audio_seconds: 30 }),
    whole: {
      of: [
        [400, 100_000],
        [50, 300_000],
      ],
      pico: 55_000_000n,
    },
    broken: {
      of: [
        [13, 100_000],
        [12, 300_000],
      ],
      pico: 4_900_000n,
    },
    bound: 'lower',
  },
  // Groq, gpt-oss-120b: 150,000 in, 75,000 cached, 600,000 out.
  {
    name: 'Groq: cached',
    feature: 'cached',
    model: 'groq/openai/gpt-oss-120b',
    dialect: 'chat',
    usage: openAi(4641, 40, {
      queue_time: 0.04,
      prompt_time: 0.07,
      total_time: 0.15,
      prompt_tokens_details: { cached_tokens: 4608 },
    }),
    tier: 'on_demand',
    whole: {
      of: [
        [33, 150_000],
        [4608, 75_000],
        [40, 600_000],
      ],
      pico: 374_550_000n,
    },
    broken: {
      of: [
        [13, 150_000],
        [12, 600_000],
      ],
      pico: 9_150_000n,
    },
  },
  {
    name: 'Groq: reasoning',
    feature: 'reasoning',
    model: 'groq/openai/gpt-oss-120b',
    dialect: 'chat',
    usage: openAi(78, 500, { completion_tokens_details: { reasoning_tokens: 410 } }),
    tier: 'on_demand',
    whole: {
      of: [
        [78, 150_000],
        [90, 600_000],
        [410, 600_000],
      ],
      pico: 311_700_000n,
    },
    broken: {
      of: [
        [13, 150_000],
        [12, 600_000],
      ],
      pico: 9_150_000n,
    },
  },
  // Moonshot, kimi-k2.5: 600,000 in, 100,000 cached, 3,000,000 out.
  {
    name: 'Moonshot: cached, beside the totals',
    feature: 'cached',
    model: 'moonshot/kimi-k2.5',
    dialect: 'chat',
    usage: openAi(1024, 30, { cached_tokens: 768 }),
    whole: {
      of: [
        [256, 600_000],
        [768, 100_000],
        [30, 3_000_000],
      ],
      pico: 320_400_000n,
    },
    broken: {
      of: [
        [13, 600_000],
        [12, 3_000_000],
      ],
      pico: 43_800_000n,
    },
  },
]
