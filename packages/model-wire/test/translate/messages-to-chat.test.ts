import { describe, expect, test } from 'vitest'
import { messagesToChat } from '../../src/index.ts'

type Json = Record<string, unknown>

const user = { role: 'user', content: 'hi' }
const base: Json = { model: 'm', max_tokens: 10, messages: [user] }
const tool = { name: 'f', description: 'd', input_schema: { type: 'object', properties: {} } }
const called = { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } }] }

function errorOf(body: Json): unknown {
  try {
    messagesToChat(body)
  } catch (error) {
    return error
  }
  throw new Error('it was carried')
}
const said = (...content: Json[]): Json => ({ messages: [{ role: 'user', content }] })
const image = (source: Json): Json => ({ type: 'image', source })
const result = (more: Json): Json => said({ type: 'tool_result', tool_use_id: 't1', ...more })

describe('what a chat target cannot be told is refused by name', () => {
  test.each<[string, Json]>([
    ['top_k', { top_k: 5 }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1024 } }],
    ['thinking.type', { thinking: { type: 'between_tools' } }],
    ['tools[1].type', { tools: [tool, { type: 'web_search_20260318', name: 'web_search' }] }],
    ['tools[0].defer_loading', { tools: [{ ...tool, defer_loading: true }] }],
    ['tools[0].allowed_callers', { tools: [{ ...tool, allowed_callers: ['code_execution_20260521'] }] }],
    ['tools[0].input_examples', { tools: [{ ...tool, input_examples: [{}] }] }],
    ['tools[0].brand_new', { tools: [{ ...tool, brand_new: 1 }] }],
    ['tool_choice.type', { tool_choice: { type: 'some' } }],
    ['tool_choice.tools', { tool_choice: { type: 'auto', tools: [] } }],
    ['container', { container: 'c' }],
    ['speed', { speed: 'fast' }],
    ['service_tier', { service_tier: 'batch' }],
    ['metadata.team', { metadata: { user_id: 'u', team: 't' } }],
    ['output_config.format.type', { output_config: { format: { type: 'grammar' } } }],
    ['output_config.brand_new', { output_config: { brand_new: true } }],
    ['mcp_servers', { mcp_servers: [{}] }],
    ['system[0].type', { system: [{ type: 'image' }] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].name', { messages: [{ ...user, name: 'n' }] }],
    ['messages[1]', { messages: [user, { role: 'assistant', content: 'The answer is' }] }],
    ['messages[0].content[0].type', said({ type: 'search_result' })],
    ['messages[0].content[0].citations', said({ type: 'text', text: 'x', citations: [{ type: 'page_location' }] })],
    ['messages[0].content[0].source.type', said(image({ type: 'file', file_id: 'f' }))],
    ['messages[0].content[0].transformations', said({ ...image({ type: 'url', url: 'u' }), transformations: {} })],
    ['messages[0].content[0].source.type', said({ type: 'document', source: { type: 'url', url: 'u' } })],
    [
      'messages[0].content[0].source.media_type',
      said({ type: 'document', source: { type: 'base64', media_type: 'x/y', data: '' } }),
    ],
    [
      'messages[0].content[0].citations.enabled',
      said({ type: 'document', source: { type: 'text', data: 'x' }, citations: { enabled: true } }),
    ],
    ['messages[0].content[0].title', said({ type: 'document', source: { type: 'text', data: 'x' }, title: 't' })],
    ['messages[0].content[0].content[0].type', result({ content: [image({ type: 'url', url: 'u' })] })],
    ['messages[0].content[0].toolset_name', result({ content: 'x', toolset_name: 'browser' })],
    ['messages[1].content[0].type', { messages: [user, { role: 'assistant', content: [{ type: 'server_tool_use' }] }, user] }],
    [
      'messages[1].content[0].caller.type',
      {
        messages: [user, { role: 'assistant', content: [{ ...called.content[0], caller: { type: 'code_execution' } }] }, user],
      },
    ],
  ])('%s', (param, more) => {
    expect(errorOf({ ...base, ...more })).toMatchObject({ code: 'UNSUPPORTED', details: { param } })
  })
})

test('an error says which field, which target, and what to do where something can be done', () => {
  expect(errorOf({ ...base, top_k: 5 })).toMatchObject({
    message: "'top_k' cannot be translated for a target that speaks chat/completions",
  })
  expect(errorOf({ ...base, thinking: { type: 'enabled', budget_tokens: 2_000 } })).toMatchObject({
    message: expect.stringContaining("chat/completions: use {type: 'adaptive'}"),
  })
  expect(errorOf({ ...base, max_tokens: undefined })).toMatchObject({ message: "'max_tokens' is required" })
  expect(errorOf('text' as unknown as Json)).toMatchObject({ message: 'the body must be an object' })
})

describe('what is no request of the dialect is the client’s mistake', () => {
  test.each<[string, Json]>([
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: '10' }],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hi' }],
    ['messages[0]', { messages: ['hi'] }],
    ['messages[0].role', { messages: [{ content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].content[0].text', said({ type: 'text' })],
    ['messages[0].content[0].source', said({ type: 'image' })],
    ['tools[0].input_schema', { tools: [{ name: 'f' }] }],
    ['tool_choice.name', { tool_choice: { type: 'tool' } }],
    ['output_config.format.schema', { output_config: { format: { type: 'json_schema' } } }],
    ['stream', { stream: 'yes' }],
    ['stop_sequences', { stop_sequences: 'x' }],
  ])('%s', (param, more) => {
    expect(errorOf({ ...base, ...more })).toMatchObject({ code: 'INVALID_REQUEST', details: { param } })
  })
})

describe('what chat has is carried', () => {
  test.each<[string, Json, Json]>([
    ['sampling', { temperature: 0.5, top_p: 0.9 }, { temperature: 0.5, top_p: 0.9 }],
    ['stop sequences', { stop_sequences: ['a', 'b'] }, { stop: ['a', 'b'] }],
    ['no stop sequences', { stop_sequences: [] }, {}],
    ['who asks', { metadata: { user_id: 'u' } }, { user: 'u' }],
    ['a stream', { stream: true }, { stream: true, stream_options: { include_usage: true } }],
    ['no stream', { stream: false }, {}],
    ['effort', { output_config: { effort: 'max' } }, { reasoning_effort: 'max' }],
    ['adaptive thinking', { thinking: { type: 'adaptive' } }, {}],
    ['the standard tier', { service_tier: 'standard_only' }, { service_tier: 'default' }],
    ['what says nothing', { container: null, speed: 'standard', service_tier: 'auto', tools: [], brand_new: null }, {}],
    [
      'tools',
      { tools: [{ ...tool, strict: true, type: 'custom', allowed_callers: ['direct'] }] },
      {
        tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: tool.input_schema, strict: true } }],
      },
    ],
    ['any tool', { tool_choice: { type: 'any' } }, { tool_choice: 'required' }],
    ['no tool', { tool_choice: { type: 'none' } }, { tool_choice: 'none' }],
    [
      'one tool, once',
      { tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true } },
      { tool_choice: { type: 'function', function: { name: 'f' } }, parallel_tool_calls: false },
    ],
  ])('%s', (_name, more, expected) => {
    expect(messagesToChat({ ...base, ...more })).toEqual({
      model: 'm',
      max_completion_tokens: 10,
      messages: [user],
      ...expected,
    })
  })

  test.each<[string, Json, unknown[]]>([
    ['a system prompt', { system: 'be brief' }, [{ role: 'system', content: 'be brief' }, user]],
    ['an empty one', { system: [] }, [user]],
    [
      'a system prompt of blocks',
      {
        system: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        user,
      ],
    ],
    [
      'a later system prompt',
      { messages: [user, { role: 'system', content: 'now French' }, user] },
      [user, { role: 'system', content: 'now French' }, user],
    ],
    [
      'images by URL and in base64',
      said(
        { type: 'text', text: 'what?' },
        image({ type: 'url', url: 'https://x.test/a.png' }),
        image({ type: 'base64', media_type: 'image/png', data: 'AAAA' }),
      ),
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what?' },
            { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
      ],
    ],
    [
      'documents',
      said(
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA' }, title: 'a.pdf' },
      ),
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'words' },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' } },
          ],
        },
      ],
    ],
    [
      'a call and its failed result, whose blocks keep their order',
      {
        messages: [
          user,
          called,
          said(
            {
              type: 'tool_result',
              tool_use_id: 't1',
              is_error: true,
              content: [
                { type: 'text', text: 'a' },
                { type: 'text', text: 'b' },
              ],
            },
            { type: 'tool_result', tool_use_id: 't2' },
            { type: 'text', text: 'go on' },
          ).messages as Json,
        ].flat(),
      },
      [
        user,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        {
          role: 'tool',
          tool_call_id: 't1',
          content: [
            { type: 'text', text: 'Error:' },
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'tool', tool_call_id: 't2', content: '' },
        { role: 'user', content: 'go on' },
      ],
    ],
  ])('%s', (_name, more, messages) => {
    expect(messagesToChat({ ...base, ...more }).messages).toEqual(messages)
  })
})

test('hints that cannot change the answer are left out and told', () => {
  const noted: string[] = []
  const cache_control = { type: 'ephemeral' }
  const chat = messagesToChat(
    {
      ...base,
      cache_control,
      system: [{ type: 'text', text: 's', cache_control }],
      tools: [{ ...tool, cache_control, eager_input_streaming: true }],
      thinking: { type: 'adaptive', display: 'omitted' },
      messages: [
        user,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'mine', signature: 'sig' },
            { type: 'redacted_thinking', data: 'xx' },
            { type: 'text', text: 'a', citations: [] },
          ],
        },
        user,
      ],
    },
    { note: (param) => noted.push(param), maxTokensField: 'max_tokens' },
  )
  expect(noted.sort()).toEqual([
    'cache_control',
    'messages[1].content[0].thinking',
    'messages[1].content[1].data',
    'system[0].cache_control',
    'thinking.display',
    'tools[0].cache_control',
    'tools[0].eager_input_streaming',
  ])
  expect(chat).toEqual({
    model: 'm',
    max_tokens: 10,
    messages: [{ role: 'system', content: 's' }, user, { role: 'assistant', content: 'a' }, user],
    tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: tool.input_schema } }],
  })
})
