import { describe, expect, test } from 'vitest'
import { responsesToChat } from '../../src/index.ts'

type Json = Record<string, unknown>

const base: Json = { model: 'm', input: 'hi' }
const fn = { type: 'function', name: 'f', parameters: { type: 'object' }, strict: true }

function errorOf(body: Json): unknown {
  try {
    responsesToChat(body)
  } catch (error) {
    return error
  }
  throw new Error('it was carried')
}
const said = (...content: Json[]): Json => ({ input: [{ role: 'user', content }] })

describe('what a chat target cannot be told is refused by name', () => {
  test.each<[string, Json]>([
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['store', { store: true }],
    ['background', { background: true }],
    ['prompt', { prompt: { id: 'p' } }],
    ['truncation', { truncation: 'auto' }],
    ['include', { include: ['message.output_text.logprobs'] }],
    ['top_logprobs', { top_logprobs: 3 }],
    ['context_management', { context_management: [{ type: 'compaction' }] }],
    ['brand_new', { brand_new: 1 }],
    ['tools[0].type', { tools: [{ type: 'web_search' }] }],
    ['tools[1].type', { tools: [fn, { type: 'custom', name: 'c' }] }],
    ['tools[0].defer_loading', { tools: [{ ...fn, defer_loading: true }] }],
    ['tools[0].allowed_callers', { tools: [{ ...fn, allowed_callers: ['programmatic'] }] }],
    ['tool_choice.type', { tool_choice: { type: 'file_search' } }],
    ['tool_choice.tools[0].type', { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] } }],
    ['text.format.type', { text: { format: { type: 'grammar' } } }],
    ['reasoning.mode', { reasoning: { mode: 'pro' } }],
    ['reasoning.context', { reasoning: { context: 'all_turns' } }],
    ['input[0].type', { input: [{ type: 'item_reference', id: 'x' }] }],
    ['input[0].type', { input: [{ type: 'web_search_call', id: 'x', status: 'completed' }] }],
    ['input[0].role', { input: [{ role: 'critic', content: 'x' }] }],
    ['input[0].content[0].type', said({ type: 'input_audio' })],
    ['input[0].content[0].file_id', said({ type: 'input_image', file_id: 'f', detail: 'auto' })],
    ['input[0].content[0].file_id', said({ type: 'input_file', file_id: 'f' })],
    ['input[0].content[0].file_url', said({ type: 'input_file', file_url: 'u' })],
    ['input[0].output[0].type', { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image' }] }] }],
    [
      'input[0].content[0].annotations',
      { input: [{ role: 'assistant', content: [{ type: 'output_text', text: 'x', annotations: [{}] }] }] },
    ],
    [
      'input[0].caller.type',
      { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', caller: { type: 'program' } }] },
    ],
  ])('%s', (param, more) => {
    expect(errorOf({ ...base, ...more })).toMatchObject({ code: 'UNSUPPORTED', details: { param } })
  })
})

describe('what is no request of the dialect is the client’s mistake', () => {
  test.each<[string, Json]>([
    ['input', { input: undefined }],
    ['input', { input: [] }],
    ['input', { input: 5 }],
    ['input[0].content', { input: [{ role: 'user' }] }],
    ['input[0].call_id', { input: [{ type: 'function_call_output', output: 'x' }] }],
    ['input[0].arguments', { input: [{ type: 'function_call', call_id: 'c', name: 'f' }] }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'n' } } }],
    ['tools[0].name', { tools: [{ type: 'function' }] }],
    ['store', { store: true, stream: 'x' }],
  ])('%s', (param, more) => {
    const error = errorOf({ ...base, ...more })
    if (param === 'store') expect(error).toMatchObject({ code: 'INVALID_REQUEST', details: { param: 'stream' } })
    else expect(error).toMatchObject({ code: 'INVALID_REQUEST', details: { param } })
  })
})

describe('what chat has is carried', () => {
  test.each<[string, Json, Json]>([
    [
      'sampling and limits',
      { temperature: 1.5, top_p: 1, max_output_tokens: 9 },
      { temperature: 1.5, top_p: 1, max_completion_tokens: 9 },
    ],
    ['a stream', { stream: true }, { stream: true, stream_options: { include_usage: true } }],
    [
      'who asks',
      { user: 'u', safety_identifier: 's', prompt_cache_key: 'k' },
      { user: 'u', safety_identifier: 's', prompt_cache_key: 'k' },
    ],
    ['effort', { reasoning: { effort: 'minimal', mode: 'standard', context: 'auto' } }, { reasoning_effort: 'minimal' }],
    ['verbosity', { text: { verbosity: 'low', format: { type: 'text' } } }, { verbosity: 'low' }],
    ['any JSON', { text: { format: { type: 'json_object' } } }, { response_format: { type: 'json_object' } }],
    [
      'JSON by a schema',
      { text: { format: { type: 'json_schema', name: 'n', description: 'd', schema: { type: 'object' }, strict: true } } },
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', description: 'd', schema: { type: 'object' }, strict: true },
        },
      },
    ],
    [
      'tools',
      { tools: [{ ...fn, description: 'd' }], parallel_tool_calls: false, tool_choice: 'required' },
      {
        tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }],
        parallel_tool_calls: false,
        tool_choice: 'required',
      },
    ],
    [
      'one tool',
      { tool_choice: { type: 'function', name: 'f' } },
      { tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
    [
      'some tools',
      { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] } },
      {
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      },
    ],
    [
      'what says nothing',
      {
        store: false,
        background: false,
        truncation: 'disabled',
        previous_response_id: null,
        top_logprobs: 0,
        include: [],
        metadata: { a: 'b' },
      },
      {},
    ],
  ])('%s', (_name, more, expected) => {
    expect(responsesToChat({ ...base, ...more })).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      ...expected,
    })
  })

  test('prompts, images, files and the turns of a conversation', () => {
    const call = (id: string): Json => ({
      type: 'function_call',
      id: `fc_${id}`,
      call_id: id,
      name: 'f',
      arguments: '{}',
      parsed_arguments: {},
      status: 'completed',
    })
    const made = (id: string): Json => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
    const answer = (text: string): Json => ({
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
    })
    const chat = responsesToChat({
      ...base,
      instructions: 'be brief',
      input: [
        { role: 'developer', content: [{ type: 'input_text', text: 'in French' }] },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'what?' },
            { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'high' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA' },
            { type: 'input_file', file_data: 'data:application/pdf;base64,AA', filename: 'a.pdf' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
        call('a'),
        call('b'),
        { type: 'function_call_output', call_id: 'a', output: '1' },
        { type: 'function_call_output', call_id: 'b', output: '2' },
        answer('one'),
        answer('two'),
        call('c'),
        { type: 'function_call_output', call_id: 'c', output: '3' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
        { type: 'reasoning', id: 'rs_2', summary: [], content: [{ type: 'reasoning_text', text: 'lost' }] },
        { role: 'user', content: 'so?' },
      ],
    })
    expect(chat.messages).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'system', content: 'in French' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what?' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'high' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' } },
        ],
      },
      { role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [made('a'), made('b')] },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      { role: 'assistant', content: 'one' },
      { role: 'assistant', content: 'two', tool_calls: [made('c')] },
      { role: 'tool', tool_call_id: 'c', content: '3' },
      { role: 'assistant', content: 'no' },
      { role: 'user', content: 'so?' },
    ])
  })
})

test('hints that cannot change the answer are left out and told', () => {
  const noted: string[] = []
  responsesToChat(
    {
      ...base,
      include: ['reasoning.encrypted_content'],
      max_tool_calls: 3,
      stream_options: { include_obfuscation: false },
      reasoning: { summary: 'auto' },
      input: [
        { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 's' }], encrypted_content: 'x' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } },
            { type: 'input_image', image_url: 'u', prompt_cache_breakpoint: { mode: 'explicit' } },
          ],
        },
      ],
    },
    { note: (param) => noted.push(param) },
  )
  expect(noted.sort()).toEqual([
    'include',
    'input[0].encrypted_content',
    'input[0].summary',
    'input[1].content[0].prompt_cache_breakpoint',
    'input[1].content[1].prompt_cache_breakpoint',
    'max_tool_calls',
    'reasoning.summary',
    'stream_options',
  ])
})
