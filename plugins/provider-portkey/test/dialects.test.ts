import type { ModelEnding, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portkey } from '../src/index.ts'
import { realPortkey } from './support/portkey.ts'
import { type Stub, startStub } from './support/stub.ts'

let gateway: Awaited<ReturnType<typeof realPortkey>>
let vendor: Stub
let started: StartedPlugin
let provider: ModelProvider
beforeAll(async () => {
  ;[gateway, vendor] = await Promise.all([realPortkey(), startStub()])
  const plugin = portkey({
    baseUrl: `${gateway.origin}/v1`,
    egress: { allow: ['127.0.0.0/8'] },
    providers: {
      claude: { slug: 'anthropic', apiKey: 'k', customHost: `${vendor.origin}/v1` },
      gem: { slug: 'google', apiKey: 'k', customHost: `${vendor.origin}/v1beta` },
    },
  })
  started = await startPlugin(plugin, { clock: systemClock() })
  provider = started.ports.model as ModelProvider
})
afterAll(async () => {
  await started?.close()
  await vendor?.close()
  gateway?.stop()
})

function chat(model: string, stream: boolean): ModelRequest {
  const body = { model, max_tokens: 20, messages: [{ role: 'user', content: 'Hi' }], ...(stream && { stream }) }
  return { endpoint: 'chat/completions', model, body, stream }
}

async function ask(
  model: string,
  events: readonly object[],
): Promise<{ readonly ending: ModelEnding; readonly failure?: unknown }> {
  const body = events.map((event) => {
    const { type } = event as { type?: string }
    const data = `data: ${JSON.stringify(event)}`
    // As each vendor ends its lines; Portkey cuts accordingly.
    return type === undefined ? `${data}\r\n\r\n` : `event: ${type}\n${data}\n\n`
  })
  vendor.answer = { headers: { 'content-type': 'text/event-stream' }, body: body.join('') }
  const reply = await provider.invoke(chat(model, true), {})
  let failure: unknown
  try {
    for await (const _ of reply.body as AsyncIterable<Uint8Array>);
  } catch (error) {
    failure = error
  }
  return { ending: (await reply.ended) as ModelEnding, failure }
}

async function whole(model: string, body: object): Promise<ModelReply> {
  vendor.answer = { body: JSON.stringify(body) }
  return provider.invoke(chat(model, false), {})
}

describe("Anthropic's dialect through the real Portkey", () => {
  const usage = { input_tokens: 10, cache_read_input_tokens: 80, cache_creation_input_tokens: 5 }
  const opening = [
    {
      type: 'message_start',
      message: { id: 'm', model: 'c', role: 'assistant', content: [], usage: { ...usage, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
  ]
  const closing = [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ]
  const booked = { inputTokens: 95, outputTokens: 7, cacheReadTokens: 80, cacheWriteTokens: 5 }

  test('a stream is complete, and its cache is part of the input', async () => {
    expect(await ask('claude/c', [...opening, ...closing])).toMatchObject({
      ending: { outcome: 'complete', usageSource: 'reported', usage: booked },
    })
  })

  test('a whole reply, the same', async () => {
    const reply = await whole('claude/c', {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'c',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      usage: { ...usage, output_tokens: 7 },
    })
    expect(await reply.ended).toMatchObject({ outcome: 'complete', usageSource: 'reported', usage: booked })
  })

  test('a stream that is cut is truncated', async () => {
    expect(await ask('claude/c', opening)).toMatchObject({
      failure: { code: 'UPSTREAM_TRUNCATED' },
      ending: { outcome: 'truncated' },
    })
  })

  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }

  test('an error event, which Portkey makes a finish reason and [DONE], is an error', async () => {
    expect(await ask('claude/c', [...opening, overloaded])).toMatchObject({
      failure: { code: 'UPSTREAM_UNAVAILABLE' },
      ending: { outcome: 'error' },
    })
  })

  test('an error event before any content rejects the call, so that it may fall back', async () => {
    await expect(ask('claude/c', [overloaded])).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
})

describe("Gemini's dialect through the real Portkey", () => {
  const counted = (thoughts: number, candidates: number): object => ({
    promptTokenCount: 10,
    candidatesTokenCount: candidates,
    thoughtsTokenCount: thoughts,
    totalTokenCount: 10 + thoughts + candidates,
  })
  const chunk = (text: string, usageMetadata: object, finishReason?: string): object => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...(finishReason && { finishReason }) }],
    modelVersion: 'g',
    usageMetadata,
  })

  test('a stream without [DONE] is complete at its finish reason; counts are the last ones, thoughts are output', async () => {
    expect(await ask('gem/g', [chunk('a', counted(25, 1)), chunk('b', counted(25, 5), 'STOP')])).toMatchObject({
      ending: {
        outcome: 'complete',
        usageSource: 'reported',
        usage: { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
      },
    })
  })

  test('a stream that is cut is truncated', async () => {
    expect(await ask('gem/g', [chunk('a', counted(25, 1))])).toMatchObject({
      failure: { code: 'UPSTREAM_TRUNCATED' },
      ending: { outcome: 'truncated' },
    })
  })

  test('a whole reply books its thoughts as output', async () => {
    expect(await (await whole('gem/g', chunk('ab', counted(25, 5), 'STOP'))).ended).toMatchObject({
      usageSource: 'reported',
      usage: { inputTokens: 10, outputTokens: 30, reasoningTokens: 25 },
    })
  })
})
