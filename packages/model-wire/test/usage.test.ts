import { describe, expect, test } from 'vitest'
import { normaliseUsage, type UsageRoute } from '../src/index.ts'

describe('counts of every route become totals', () => {
  test.each<[string, UsageRoute, object, object]>([
    [
      'openai: cached and reasoning inside',
      'openai',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 80 },
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      { inputTokens: 100, outputTokens: 50, cacheReadTokens: 80, reasoningTokens: 30 },
    ],
    [
      'anthropic: cache outside, total holds it',
      'anthropic',
      {
        prompt_tokens: 1000,
        completion_tokens: 20,
        total_tokens: 11_020,
        cache_read_input_tokens: 8000,
        cache_creation_input_tokens: 2000,
      },
      { inputTokens: 11_000, outputTokens: 20, cacheReadTokens: 8000, cacheWriteTokens: 2000 },
    ],
    [
      'vertex claude, strict: the write is what the total has beyond',
      'vertex-claude',
      { prompt_tokens: 100, completion_tokens: 10, total_tokens: 160, prompt_tokens_details: { cached_tokens: 30 } },
      { inputTokens: 150, outputTokens: 10, cacheReadTokens: 30, cacheWriteTokens: 20 },
    ],
    [
      'bedrock: cache inside',
      'bedrock',
      {
        prompt_tokens: 110,
        completion_tokens: 10,
        total_tokens: 120,
        cache_read_input_tokens: 80,
        cache_creation_input_tokens: 20,
      },
      { inputTokens: 110, outputTokens: 10, cacheReadTokens: 80, cacheWriteTokens: 20 },
    ],
    [
      'gemini: thoughts outside the completion',
      'gemini',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 40, completion_tokens_details: { reasoning_tokens: 25 } },
      { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
    ],
    [
      'gemini: where cache and thoughts both fit, it is the thoughts',
      'gemini',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 20,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
      { inputTokens: 10, outputTokens: 10, cacheReadTokens: 5, reasoningTokens: 5 },
    ],
    ['cohere: plain', 'cohere', { prompt_tokens: 3, completion_tokens: 4 }, { inputTokens: 3, outputTokens: 4 }],
    ['embeddings: no completion', 'openai', { prompt_tokens: 7, total_tokens: 7 }, { inputTokens: 7, outputTokens: 0 }],
    [
      'anthropic messages: cache beside the input',
      'anthropic',
      { input_tokens: 10, output_tokens: 2, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 },
      { inputTokens: 18, outputTokens: 2, cacheReadTokens: 5, cacheWriteTokens: 3 },
    ],
    [
      'responses: totals',
      'openai',
      {
        input_tokens: 10,
        output_tokens: 8,
        total_tokens: 18,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 6 },
      },
      { inputTokens: 10, outputTokens: 8, cacheReadTokens: 4, reasoningTokens: 6 },
    ],
  ])('%s', (_, route, raw, usage) => {
    expect(normaliseUsage(raw, route)).toEqual({ usage })
  })
})

test('a total that fits no rule is booked and flagged', () => {
  expect(normaliseUsage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 99 })).toEqual({
    usage: { inputTokens: 94, outputTokens: 5 },
    unreconciled: true,
  })
  expect(normaliseUsage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 1 })).toEqual({
    usage: { inputTokens: 10, outputTokens: 5 },
    unreconciled: true,
  })
})

test.each([undefined, null, 'text', {}, { prompt_tokens: -1, completion_tokens: 2 }, { prompt_tokens: 1.5 }])(
  '%j is no usage',
  (raw) => {
    expect(normaliseUsage(raw)).toBeUndefined()
  },
)
