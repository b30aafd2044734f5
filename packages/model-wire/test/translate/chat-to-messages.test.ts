import { describe, expect, test } from 'vitest'
import { chatToMessages } from '../../src/index.ts'

type Json = Record<string, unknown>

const user = { role: 'user', content: 'hi' }
const base: Json = { model: 'm', max_completion_tokens: 10, messages: [user] }
const fn = { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }
const call = (id: string, args = '{"a":1}'): Json => ({ id, type: 'function', function: { name: 'f', arguments: args } })
/** As OpenAI's SDK hands it back. */
const parsedCall = (id: string): Json => {
  const made = call(id)
  return { ...made, index: 0, function: { ...(made.function as Json), parsed_arguments: { a: 1 } } }
}

function errorOf(body: Json): unknown {
  try {
    chatToMessages(body)
  } catch (error) {
    return error
  }
  throw new Error('it was carried')
}
const said = (...content: Json[]): Json => ({ messages: [{ role: 'user', content }] })
const answered = (more: Json): Json => ({ messages: [user, { role: 'assistant', content: 'x', ...more }] })

describe('what a messages target cannot be told is refused by name', () => {
  test.each<[string, Json]>([
    ['n', { n: 2 }],
    ['temperature', { temperature: 1.2 }],
    ['seed', { seed: 1 }],
    ['frequency_penalty', { frequency_penalty: 0.1 }],
    ['presence_penalty', { presence_penalty: -1 }],
    ['logit_bias', { logit_bias: { 5: 1 } }],
    ['logprobs', { logprobs: true }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['store', { store: true }],
    ['verbosity', { verbosity: 'high' }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['audio', { audio: { voice: 'x' } }],
    ['functions', { functions: [{}] }],
    ['function_call', { function_call: 'auto' }],
    ['service_tier', { service_tier: 'flex' }],
    ['web_search_options', { web_search_options: {} }],
    ['reasoning_effort', { reasoning_effort: 'minimal' }],
    ['user', { user: 'a', safety_identifier: 'b' }],
    ['brand_new', { brand_new: 0 }],
    ['response_format.type', { response_format: { type: 'json_object' } }],
    [
      'response_format.json_schema.description',
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {}, description: 'd' } } },
    ],
    ['tools[0].type', { tools: [{ type: 'custom', custom: { name: 'c' } }] }],
    ['tools[0].function.brand_new', { tools: [{ ...fn, function: { ...fn.function, brand_new: 1 } }] }],
    ['tool_choice', { tool_choice: 'some' }],
    ['tool_choice.type', { tool_choice: { type: 'allowed_tools', allowed_tools: {} } }],
    ['messages[0].name', { messages: [{ ...user, name: 'n' }] }],
    ['messages[0].role', { messages: [{ role: 'function', content: 'x', name: 'f' }] }],
    ['messages[0].content[0].type', said({ type: 'input_audio', input_audio: {} })],
    ['messages[0].content[0].image_url.detail', said({ type: 'image_url', image_url: { url: 'u', detail: 'low' } })],
    ['messages[0].content[0].file.file_id', said({ type: 'file', file: { file_id: 'x' } })],
    ['messages[0].content[0].file.file_data', said({ type: 'file', file: { file_data: 'data:text/csv;base64,AA' } })],
    ['messages[1].audio', answered({ audio: { id: 'x' } })],
    ['messages[1].function_call', answered({ function_call: { name: 'f', arguments: '' } })],
    ['messages[1].annotations', answered({ annotations: [{ type: 'url_citation' }] })],
    ['messages[1].tool_calls[0].type', answered({ tool_calls: [{ id: 'x', type: 'custom', custom: {} }] })],
  ])('%s', (param, more) => {
    expect(errorOf({ ...base, ...more })).toMatchObject({ code: 'UNSUPPORTED', details: { param } })
  })
})

describe('what is no request of the dialect is the client’s mistake', () => {
  test.each<[string, Json]>([
    ['messages', { messages: [] }],
    ['messages', { messages: undefined }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].tool_call_id', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].content[0].image_url.url', said({ type: 'image_url', image_url: { url: 'data:image/png,raw' } })],
    ['messages[1].tool_calls[0].function.arguments', answered({ tool_calls: [call('x', '{"a":')] })],
    ['messages[1].tool_calls[0].function.arguments', answered({ tool_calls: [call('x', '[1]')] })],
    ['messages[1].thinking_blocks[0]', answered({ thinking_blocks: ['x'] })],
    ['response_format.json_schema.schema', { response_format: { type: 'json_schema', json_schema: { name: 'n' } } }],
  ])('%s', (param, more) => {
    expect(errorOf({ ...base, ...more })).toMatchObject({ code: 'INVALID_REQUEST', details: { param } })
  })
})

describe('what messages has is carried', () => {
  test.each<[string, Json, Json]>([
    ['no limit', { max_completion_tokens: undefined }, { max_tokens: 4096 }],
    ['the older limit', { max_completion_tokens: undefined, max_tokens: 7 }, { max_tokens: 7 }],
    ['sampling', { temperature: 0, top_p: 0.5 }, { temperature: 0, top_p: 0.5 }],
    ['the highest temperature', { temperature: 1 }, { temperature: 1 }],
    ['one stop', { stop: 'a' }, { stop_sequences: ['a'] }],
    ['stops', { stop: ['a', 'b'] }, { stop_sequences: ['a', 'b'] }],
    ['a stream', { stream: true, stream_options: { include_usage: true } }, { stream: true }],
    ['who asks', { user: 'u', safety_identifier: 'u' }, { metadata: { user_id: 'u' } }],
    ['effort', { reasoning_effort: 'xhigh' }, { output_config: { effort: 'xhigh' } }],
    ['no reasoning', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['the default tier', { service_tier: 'default' }, { service_tier: 'standard_only' }],
    [
      'JSON by a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } } },
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    ],
    [
      'tools',
      { tools: [fn, { type: 'function', function: { name: 'g' } }], tool_choice: 'required' },
      {
        tools: [
          { name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true },
          { name: 'g', input_schema: { type: 'object', properties: {} } },
        ],
        tool_choice: { type: 'any' },
      },
    ],
    [
      'one call at a time',
      { tools: [fn], parallel_tool_calls: false },
      {
        tools: [{ name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true }],
        tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      },
    ],
    ['one call at a time without tools', { parallel_tool_calls: false }, {}],
    ['one tool', { tool_choice: { type: 'function', function: { name: 'f' } } }, { tool_choice: { type: 'tool', name: 'f' } }],
    [
      'what says nothing',
      {
        n: 1,
        store: false,
        frequency_penalty: 0,
        presence_penalty: 0,
        logit_bias: {},
        logprobs: false,
        modalities: ['text'],
        response_format: { type: 'text' },
        verbosity: 'medium',
        service_tier: 'auto',
        seed: null,
        stop: [],
      },
      {},
    ],
  ])('%s', (_name, more, expected) => {
    expect(chatToMessages({ ...base, ...more })).toEqual({ model: 'm', max_tokens: 10, messages: [user], ...expected })
  })

  test('prompts, images, files, calls and results', () => {
    const made = chatToMessages({
      ...base,
      messages: [
        { role: 'system', content: 'a' },
        { role: 'developer', content: [{ type: 'text', text: 'b' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what?' },
            { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'auto' } },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
            { type: 'file', file: { file_data: 'data:application/pdf;base64,AA', filename: 'a.pdf' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          refusal: null,
          annotations: [],
          parsed: { of: 'the SDK' },
          tool_calls: [parsedCall('functions.f:0'), call('b', '')],
        },
        { role: 'tool', tool_call_id: 'functions.f:0', content: '1' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: '2' }] },
        { role: 'user', content: 'so?' },
        { role: 'assistant', content: '' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'c' },
            { type: 'refusal', refusal: 'd' },
          ],
        },
        { role: 'system', content: 'now French' },
        user,
      ],
    })
    expect(made.system).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ])
    expect(made.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what?' },
          { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA' }, title: 'a.pdf' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'functions_2e_f_3a_0', name: 'f', input: { a: 1 } },
          { type: 'tool_use', id: 'b', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'functions_2e_f_3a_0', content: '1' },
          { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: '2' }] },
        ],
      },
      { role: 'user', content: 'so?' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: 'd' },
        ],
      },
      { role: 'system', content: 'now French' },
      user,
    ])
  })
})

test('hints that cannot change the answer are left out and told', () => {
  const noted: string[] = []
  const made = chatToMessages(
    {
      ...base,
      metadata: { team: 't' },
      prediction: { type: 'content', content: 'x' },
      prompt_cache_key: 'k',
      stream: true,
      stream_options: { include_obfuscation: true },
      messages: [user, { role: 'assistant', content: 'x', reasoning_content: 'hm' }, user],
    },
    { note: (param) => noted.push(param), maxTokens: 5 },
  )
  expect(noted.sort()).toEqual([
    'messages[1].reasoning_content',
    'metadata',
    'prediction',
    'prompt_cache_key',
    'stream_options.include_obfuscation',
  ])
  expect(made).toEqual({
    model: 'm',
    max_tokens: 10,
    stream: true,
    messages: [user, { role: 'assistant', content: 'x' }, user],
  })
})
