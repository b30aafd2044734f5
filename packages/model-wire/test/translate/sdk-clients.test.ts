import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { chunk, ending, fullReply, fullStream } from './support/chat-pieces.ts'
import { type Target, type WireServer, wireServer } from './support/wire-server.ts'

const servers: WireServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function anthropic(target: Target): Promise<{ client: Anthropic; server: WireServer }> {
  const server = await wireServer('chat/completions', target)
  servers.push(server)
  return { server, client: new Anthropic({ apiKey: 'k', baseURL: server.url, maxRetries: 0 }) }
}

async function openai(target: Target, to: 'chat/completions' | 'messages'): Promise<{ client: OpenAI; server: WireServer }> {
  const server = await wireServer(to, target)
  servers.push(server)
  return { server, client: new OpenAI({ apiKey: 'k', baseURL: `${server.url}/v1`, maxRetries: 0 }) }
}

const question = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hi' }] }
const messagesContent = [
  { type: 'thinking', thinking: 'hm yes', signature: '' },
  { type: 'text', text: 'Let me look – 𝄞', citations: null },
  { type: 'tool_use', id: 'call_a', name: 'weather', input: { city: 'Bern' }, caller: { type: 'direct' } },
  { type: 'tool_use', id: 'call_b', name: 'clock', input: {}, caller: { type: 'direct' } },
]
const messagesCounts = {
  input_tokens: 13,
  cache_read_input_tokens: 5,
  cache_creation_input_tokens: 2,
  output_tokens: 9,
  output_tokens_details: { thinking_tokens: 3 },
}

describe('the Anthropic SDK over a chat target', () => {
  test('reads a stream into the message that the whole reply gives', async () => {
    const { client, server } = await anthropic((body) => (body.stream === true ? fullStream : fullReply))
    const streamed = await client.messages.stream(question).finalMessage()
    const whole = await client.messages.create(question)
    for (const message of [streamed, whole]) {
      expect(message).toMatchObject({ id: 'msg_c1', role: 'assistant', model: 'gpt-x', stop_reason: 'tool_use' })
      expect(message.content).toEqual(messagesContent)
      expect(message.usage).toMatchObject(messagesCounts)
    }
    expect(server.seen[0]).toEqual({
      model: 'm',
      max_completion_tokens: 100,
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  test('takes its answer back in the next turn, with the results of its tools', async () => {
    const { client, server } = await anthropic(() => fullReply)
    const first = await client.messages.create(question)
    await client.messages.create({
      ...question,
      messages: [
        ...question.messages,
        { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_a', content: [{ type: 'text', text: '9 °C' }] },
            { type: 'tool_result', tool_use_id: 'call_b', content: 'no clock', is_error: true },
            { type: 'text', text: 'well?' },
          ],
        },
      ],
    })
    expect(server.seen[1]?.messages).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: 'Let me look – 𝄞',
        reasoning_content: 'hm yes',
        tool_calls: (fullReply.choices as [{ message: { tool_calls: unknown } }])[0].message.tool_calls,
      },
      { role: 'tool', tool_call_id: 'call_a', content: '9 °C' },
      { role: 'tool', tool_call_id: 'call_b', content: 'Error: no clock' },
      { role: 'user', content: 'well?' },
    ])
  })

  test('gets an error of its own for a field that cannot be carried', async () => {
    const { client, server } = await anthropic(() => fullReply)
    const call = client.messages.create({ ...question, thinking: { type: 'enabled', budget_tokens: 2_000 } })
    await expect(call).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' })
    await expect(call).rejects.toThrow(/thinking\.budget_tokens/)
    expect(server.seen).toEqual([])
  })

  test('throws for a stream that breaks, after the text before it', async () => {
    const { client } = await anthropic(() => [chunk({ content: 'half' })])
    const heard: string[] = []
    const stream = client.messages.stream(question).on('text', (text) => heard.push(text))
    await expect(stream.finalMessage()).rejects.toMatchObject({ type: 'api_error' })
    expect(heard).toEqual(['half'])
  })

  test('parses structured output', async () => {
    const answer = { choices: [{ message: { content: '{"n":4}' }, finish_reason: 'stop' }], id: 'c', model: 'm' }
    const { client, server } = await anthropic(() => answer)
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
    const message = await client.messages.parse({
      ...question,
      output_config: { format: { type: 'json_schema', schema }, effort: 'low' },
    })
    expect(message.content[0]).toMatchObject({ type: 'text', text: '{"n":4}' })
    expect(server.seen[0]).toMatchObject({
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'response', schema, strict: true } },
    })
  })
})

describe.each(['chat/completions', 'messages'] as const)("the OpenAI SDK's responses over a %s target", (to) => {
  const target: Target = to === 'messages' ? messagesTarget : (body) => (body.stream === true ? fullStream : fullReply)
  const ask = { model: 'm', input: 'hi', instructions: 'be brief', metadata: { a: 'b' } }

  test('reads a stream into the response that the whole reply gives', async () => {
    const { client } = await openai(target, to)
    const events: OpenAI.Responses.ResponseStreamEvent[] = []
    const stream = client.responses.stream(ask).on('event', (event) => events.push(event))
    const streamed = await stream.finalResponse()
    const whole = await client.responses.create(ask)
    for (const response of [streamed, whole]) {
      expect(response).toMatchObject({ status: 'completed', model: 'gpt-x', metadata: { a: 'b' }, instructions: 'be brief' })
      expect(response.output_text).toBe('Let me look – 𝄞')
      expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call', 'function_call'])
      expect(response.output[0]).toMatchObject({ content: [{ type: 'reasoning_text', text: 'hm yes' }] })
      expect(response.output[2]).toMatchObject({ call_id: 'call_a', name: 'weather', arguments: '{"city":"Bern"}' })
      expect(response.output[3]).toMatchObject({ call_id: 'call_b', name: 'clock', arguments: '{}', status: 'completed' })
      expect(response.usage).toMatchObject({
        input_tokens: 20,
        input_tokens_details: { cached_tokens: 5 },
        output_tokens: 9,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 29,
      })
    }
    expect(streamed.output.map(({ id }) => id)).toEqual(whole.output.map(({ id }) => id))
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
    expect(events[0]?.type).toBe('response.created')
    expect(events.at(-1)?.type).toBe('response.completed')
  })

  test('throws for a stream that breaks', async () => {
    const half = to === 'messages' ? messagesTarget({ stream: true }) : fullStream
    const { client } = await openai(() => (half as string[]).slice(0, 6), to)
    await expect(client.responses.stream(ask).finalResponse()).rejects.toMatchObject({ code: 'upstream_truncated' })
  })

  test('gets an error naming what cannot be carried', async () => {
    const { client } = await openai(target, to)
    const call = client.responses.create({ ...ask, previous_response_id: 'resp_1' })
    await expect(call).rejects.toMatchObject({ status: 400, param: 'previous_response_id', code: 'unsupported' })
  })
})

test("responses takes its output back as input, with its tools' results", async () => {
  const { client, server } = await openai(() => fullReply, 'chat/completions')
  const first = await client.responses.create({ model: 'm', input: 'hi' })
  await client.responses.create({
    model: 'm',
    input: [
      { role: 'user', content: 'hi' },
      ...(first.output as OpenAI.Responses.ResponseInputItem[]),
      { type: 'function_call_output', call_id: 'call_a', output: '9 °C' },
      { type: 'function_call_output', call_id: 'call_b', output: [{ type: 'input_text', text: 'noon' }] },
    ],
  })
  expect(server.seen[1]?.messages).toEqual([
    { role: 'user', content: 'hi' },
    {
      role: 'assistant',
      content: 'Let me look – 𝄞',
      reasoning_content: 'hm yes',
      tool_calls: (fullReply.choices as [{ message: { tool_calls: unknown } }])[0].message.tool_calls,
    },
    { role: 'tool', tool_call_id: 'call_a', content: '9 °C' },
    { role: 'tool', tool_call_id: 'call_b', content: 'noon' },
  ])
})

test('responses tells why an answer is incomplete, streamed and whole', async () => {
  const pieces = [chunk({ content: 'a' }), ...ending('length')]
  const whole = { id: 'c1', model: 'm', choices: [{ message: { content: 'a' }, finish_reason: 'length' }] }
  const { client } = await openai((body) => (body.stream === true ? pieces : whole), 'chat/completions')
  const streamed = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse()
  for (const response of [streamed, await client.responses.create({ model: 'm', input: 'hi' })])
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', status: 'incomplete', content: [{ text: 'a' }] }],
    })
})

describe("the OpenAI SDK's chat over a messages target", () => {
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'hi' }]

  test('reads a stream into the completion that the whole reply gives', async () => {
    const { client } = await openai(messagesTarget, 'messages')
    const stream = client.chat.completions.stream({ model: 'm', messages, stream_options: { include_usage: true } })
    const streamed = await stream.finalChatCompletion()
    const whole = await client.chat.completions.create({ model: 'm', messages })
    for (const completion of [streamed, whole]) {
      expect(completion.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          content: 'Let me look – 𝄞',
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
            { id: 'call_b', type: 'function', function: { name: 'clock', arguments: '{}' } },
          ],
        },
      })
      expect(completion.usage).toMatchObject({
        prompt_tokens: 20,
        completion_tokens: 9,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 3 },
      })
    }
  })

  test('hands thinking back with its signature', async () => {
    const { client, server } = await openai(messagesTarget, 'messages')
    const first = await client.chat.completions.create({ model: 'm', messages })
    const said = first.choices[0]?.message as OpenAI.ChatCompletionMessageParam
    const result = { role: 'tool' as const, tool_call_id: 'call_a', content: '9 °C' }
    await client.chat.completions.create({ model: 'm', messages: [...messages, said, result] })
    expect(server.seen[1]?.messages).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm yes', signature: 'sig' },
          { type: 'text', text: 'Let me look – 𝄞' },
          { type: 'tool_use', id: 'call_a', name: 'weather', input: { city: 'Bern' } },
          { type: 'tool_use', id: 'call_b', name: 'clock', input: {} },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_a', content: '9 °C' }] },
    ])
  })

  test('tells usage only where it was asked for', async () => {
    const { client } = await openai(messagesTarget, 'messages')
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true })
    for await (const part of stream) expect(part.usage ?? null).toBeNull()
  })
})

/** The answer of the chat pieces as Anthropic's API gives it. */
function messagesTarget(body: Record<string, unknown>): object | readonly string[] {
  const usage = { input_tokens: 13, cache_creation_input_tokens: 2, cache_read_input_tokens: 5, output_tokens: 1 }
  const counted = { output_tokens: 9, output_tokens_details: { thinking_tokens: 3 } }
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'gpt-x', content: [], stop_reason: null, usage }
  const end = { stop_reason: 'tool_use', stop_sequence: null }
  const content = messagesContent.map((block) => (block.type === 'thinking' ? { ...block, signature: 'sig' } : block))
  if (body.stream !== true) return { ...head, ...end, content, usage: { ...usage, ...counted } }
  const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const delta = (index: number, fields: object): string => event('content_block_delta', { index, delta: fields })
  const start = (index: number, content_block: object): string => event('content_block_start', { index, content_block })
  const stop = (index: number): string => event('content_block_stop', { index })
  return [
    event('message_start', { message: head }),
    start(0, { type: 'thinking', thinking: '', signature: '' }),
    event('ping', {}),
    delta(0, { type: 'thinking_delta', thinking: 'hm ' }),
    delta(0, { type: 'thinking_delta', thinking: 'yes' }),
    delta(0, { type: 'signature_delta', signature: 'sig' }),
    stop(0),
    start(1, { type: 'text', text: '' }),
    delta(1, { type: 'text_delta', text: 'Let me look – 𝄞' }),
    stop(1),
    start(2, { type: 'tool_use', id: 'call_a', name: 'weather', input: {} }),
    delta(2, { type: 'input_json_delta', partial_json: '{"city":' }),
    delta(2, { type: 'input_json_delta', partial_json: '"Bern"}' }),
    stop(2),
    start(3, { type: 'tool_use', id: 'call_b', name: 'clock', input: {} }),
    stop(3),
    event('message_delta', { delta: end, usage: counted }),
    event('message_stop', {}),
  ]
}
