type Json = Record<string, unknown>

/** One event of a chat stream. */
export function chunk(delta: Json, more: Json = {}): string {
  const choices = [{ index: 0, delta, finish_reason: null, ...more }]
  return data({ id: 'c1', object: 'chat.completion.chunk', created: 1_690_000_000, model: 'gpt-x', choices })
}

export function data(fields: Json): string {
  return `data: ${JSON.stringify(fields)}\n\n`
}

export const usage: Json = {
  prompt_tokens: 20,
  completion_tokens: 9,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 3 },
}

/** The end of a chat stream. */
export function ending(finish_reason: string, more: Json = {}): string[] {
  const tail = data({ id: 'c1', created: 1_690_000_000, model: 'gpt-x', choices: [], usage })
  return [chunk({}, { finish_reason, ...more }), tail, 'data: [DONE]\n\n']
}

/** Reasoning, text and two parallel calls. */
export const fullStream: readonly string[] = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'hm ' }),
  chunk({ reasoning_content: 'yes' }),
  chunk({ content: 'Let me ' }),
  chunk({ content: 'look – 𝄞' }),
  chunk({ tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"Bern"}' } }] }),
  chunk({ tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'clock', arguments: '{}' } }] }),
  ...ending('tool_calls'),
]

/** The same as a whole reply. */
export const fullReply: Json = {
  id: 'c1',
  object: 'chat.completion',
  created: 1_690_000_000,
  model: 'gpt-x',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'Let me look – 𝄞',
        refusal: null,
        reasoning_content: 'hm yes',
        tool_calls: [
          { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
          { id: 'call_b', type: 'function', function: { name: 'clock', arguments: '{}' } },
        ],
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage,
}
