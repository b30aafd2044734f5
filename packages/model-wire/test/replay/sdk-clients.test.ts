import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import type { ModelEndpoint } from '@switchyard/contract'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { streamOfWhole } from '../../src/index.ts'

type Json = Readonly<Record<string, unknown>>
const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

/** Serves a whole reply in either form, as a cache does. */
async function serving(endpoint: ModelEndpoint, whole: Json): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      stream?: boolean
      stream_options?: { include_usage?: boolean }
    }
    if (body.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole))
      return
    }
    const events = streamOfWhole(endpoint, whole, { includeUsage: body.stream_options?.include_usage, pieceLength: 3 })
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events?.join(''))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the OpenAI SDK', () => {
  const chat = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Let me look – 𝄞',
          refusal: null,
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
            { id: 'b', type: 'function', function: { name: 'clock', arguments: '{}' } },
          ],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  }

  test('reads a chat that is replayed as one that is whole', async () => {
    const client = new OpenAI({ apiKey: 'k', baseURL: await serving('chat/completions', chat), maxRetries: 0 })
    const stream = client.chat.completions.stream({ model: 'm', messages: [], stream_options: { include_usage: true } })
    const said: string[] = []
    stream.on('content', (delta) => said.push(delta))
    const final = await stream.finalChatCompletion()
    expect(said.length).toBeGreaterThan(3)
    expect(final).toMatchObject({ id: 'chatcmpl-1', usage: chat.usage })
    expect(final.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: 'Let me look – 𝄞', tool_calls: chat.choices[0]?.message.tool_calls },
    })
  })

  test('is told a refusal as one', async () => {
    const message = { role: 'assistant', content: null, refusal: 'I may not.' }
    const refused = { ...chat, choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }] }
    const client = new OpenAI({ apiKey: 'k', baseURL: await serving('chat/completions', refused), maxRetries: 0 })
    const final = await client.chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion()
    expect(final.choices[0]?.message).toMatchObject({ content: null, refusal: 'I may not.' })
    expect(final.usage).toBeUndefined()
  })

  test('reads a response that is replayed as one that is whole', async () => {
    const response = {
      id: 'resp_1',
      object: 'response',
      created_at: 1_700_000_000,
      model: 'm',
      status: 'completed',
      error: null,
      incomplete_details: null,
      instructions: null,
      metadata: {},
      tools: [],
      output: [
        { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
        {
          id: 'msg_1',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Grüße 🚃', annotations: [] }],
        },
        { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'c', name: 'f', arguments: '{"a":1}' },
      ],
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    }
    const client = new OpenAI({ apiKey: 'k', baseURL: await serving('responses', response), maxRetries: 0 })
    const stream = client.responses.stream({ model: 'm', input: 'hi' })
    let said = ''
    stream.on('response.output_text.delta', ({ delta }) => {
      said += delta
    })
    const final = await stream.finalResponse()
    const whole = await client.responses.create({ model: 'm', input: 'hi' })
    expect(said).toBe('Grüße 🚃')
    expect(final.output).toMatchObject(response.output)
    expect(final.output_text).toBe(whole.output_text)
  })

  test('reads a completion', async () => {
    const completion = {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, text: 'once upon', logprobs: null, finish_reason: 'stop' }],
    }
    const client = new OpenAI({ apiKey: 'k', baseURL: await serving('completions', completion), maxRetries: 0 })
    let said = ''
    for await (const chunk of await client.completions.create({ model: 'm', prompt: 'p', stream: true }))
      said += chunk.choices[0]?.text ?? ''
    expect(said).toBe('once upon')
  })
})

test('the Anthropic SDK reads a message that is replayed as one that is whole', async () => {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: 'hm', signature: 'sig' },
      { type: 'text', text: 'Grüße 🚃', citations: null },
      { type: 'tool_use', id: 't', name: 'f', input: { city: 'Bern', list: [1, { a: null }] } },
      { type: 'tool_use', id: 'u', name: 'g', input: {} },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 7 },
  }
  const client = new Anthropic({ apiKey: 'k', baseURL: await serving('messages', message), maxRetries: 0 })
  const question = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'hi' }] }
  const streamed = await client.messages.stream(question).finalMessage()
  expect(streamed).toMatchObject(message)
  expect(await client.messages.create(question)).toMatchObject(message)
})
