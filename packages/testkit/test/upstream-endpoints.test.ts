import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BIG_INTEGER, DEFAULT_TOKENS, type FakeUpstream, startFakeUpstream } from '../src/index.ts'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream()
})
afterAll(() => upstream.close())

type Json = Record<string, unknown>

async function send(
  path: string,
  body: Json | FormData,
): Promise<{ status: number; type: string; text: string; bytes: Buffer }> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const sent = body instanceof FormData ? { body } : json
  const response = await fetch(`${upstream.url}/${path}`, { method: 'POST', ...sent })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: bytes.toString(), bytes }
}

/** A stream's events, each with its name, which must be the type of its data. */
function events(text: string): readonly Json[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const [, name, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
      const event = JSON.parse(data) as Json
      expect(event.type).toBe(name)
      return event
    })
}

function form(fields: Readonly<Record<string, string>>): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.append(name, value)
  made.append('file', new Blob(['RIFF']), 'speech.wav')
  return made
}

const ANSWER = DEFAULT_TOKENS.join('')
const tools = [{ name: 'weather', parameters: {}, input_schema: {} }]
const ask = { max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }

describe('an error is told in the shape of its endpoint', () => {
  test.each([
    ['messages', { messages: [] }, /^\{"type":"error","error":\{"type":"invalid_request_error","message":"[^"]*'max_tokens'/],
    ['messages', { ...ask, model: 'm!status:529' }, /^\{"type":"error","error":\{"type":"overloaded_error"/],
    ['messages', { ...ask, model: 'm!error:first' }, /^\{"type":"error","error":\{"type":"server_error"/],
    ['responses', {}, /^\{"error":\{"message":"[^"]*'input'/],
    ['completions', {}, /^\{"error":\{"message":"[^"]*'prompt'/],
    ['audio/transcriptions', {}, /^\{"error":\{"message":"[^"]*'file'/],
    ['audio/speech', { input: 'x', model: 'm!error:first' }, /^\{"error":/],
  ])('%s with %j', async (path, body, shape) => {
    const reply = await send(path, { model: 'm', ...body })
    expect(reply.text).toMatch(shape)
    expect(reply.type).toBe('application/json')
  })

  test('in a stream, too', async () => {
    const message = await send('messages', { ...ask, model: 'm!error:mid', stream: true })
    expect(events(message.text).at(-1)).toEqual({ type: 'error', error: expect.objectContaining({ type: 'server_error' }) })
    const response = await send('responses', { model: 'm!error:mid', input: 'x', stream: true })
    expect(events(response.text).at(-1)).toMatchObject({ type: 'error', message: expect.any(String) })
  })
})

describe('messages', () => {
  test('whole: the cache is outside of its input', async () => {
    const { text } = await send('messages', { ...ask, model: 'm' })
    expect(text).toContain(BIG_INTEGER)
    expect(JSON.parse(text)).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: ANSWER }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 4, cache_read_input_tokens: 3, output_tokens: 9 },
    })
  })

  test('streamed: from message_start to message_stop, which a fault leaves out', async () => {
    const types = events((await send('messages', { ...ask, model: 'm', stream: true })).text).map(({ type }) => type)
    expect(types.slice(0, 3)).toEqual(['message_start', 'content_block_start', 'ping'])
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
    const cut = events((await send('messages', { ...ask, model: 'm!no-done', stream: true })).text)
    expect(cut.at(-1)?.type).toBe('message_delta')
  })

  test('calls a tool, and may tell no usage', async () => {
    const body = { ...ask, tools, model: 'm!tool-call+usage:absent' }
    const whole = JSON.parse((await send('messages', body)).text)
    expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', input: { days: 3 } }] })
    expect(whole.usage).toBeUndefined()
    const deltas = events((await send('messages', { ...body, stream: true })).text).map(({ delta }) => delta as Json)
    expect(JSON.parse(deltas.map((delta) => delta?.partial_json ?? '').join(''))).toEqual({ city: 'Zürich', days: 3 })
  })
})

describe('responses', () => {
  test('streamed: numbered, and whole in the last event, as the whole reply is', async () => {
    const streamed = events((await send('responses', { model: 'm', input: 'x', stream: true })).text)
    expect(streamed.map(({ sequence_number }) => sequence_number)).toEqual(streamed.map((_, index) => index))
    expect(streamed.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta)).toEqual(
      DEFAULT_TOKENS,
    )
    const { response } = streamed.at(-1) as { response: Json }
    const whole = JSON.parse((await send('responses', { model: 'm', input: 'x' })).text)
    expect({ ...response, id: 0, output: 0 }).toEqual({ ...whole, id: 0, output: 0 })
    expect(whole).toMatchObject({ status: 'completed', usage: { input_tokens: 7, output_tokens: 9, total_tokens: 16 } })
  })

  test.each([
    ['finish:length', 'response.incomplete', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['finish:overloaded_error', 'response.failed', { status: 'failed', error: { code: 'overloaded_error' } }],
    ['usage:absent', 'response.completed', { usage: null }],
    ['tool-call', 'response.completed', { output: [{ type: 'function_call', name: 'weather' }] }],
  ])('%s ends with %s', async (fault, type, response) => {
    const streamed = events((await send('responses', { model: `m!${fault}`, input: 'x', tools, stream: true })).text)
    expect(streamed.at(-1)).toMatchObject({ type, response })
  })
})

test('completions tell text, and usage where a stream asks for it', async () => {
  expect(JSON.parse((await send('completions', { model: 'm', prompt: 'x' })).text).choices[0].text).toBe(ANSWER)
  const usage = { stream_options: { include_usage: true } }
  const streamed = await send('completions', { model: 'm', prompt: 'x', stream: true, ...usage })
  expect(streamed.text).toMatch(/"usage":\{[^\n]*\n\ndata: \[DONE\]\n\n$/)
  expect((await send('completions', { model: 'm', prompt: 'x', stream: true })).text).not.toContain('"usage"')
})

test('speech is every byte there is, or events', async () => {
  const { type, bytes } = await send('audio/speech', { model: 'm', input: 'x' })
  expect(type).toBe('audio/mpeg')
  expect([...new Set(bytes)]).toHaveLength(256)
  const streamed = events((await send('audio/speech', { model: 'm', input: 'x', stream_format: 'sse' })).text)
  expect(Buffer.concat(streamed.map(({ audio }) => Buffer.from(String(audio ?? ''), 'base64')))).toEqual(bytes)
})

test('a form is read, and remembered', async () => {
  const told = form({ model: 'm', language: 'de' })
  expect(JSON.parse((await send('audio/transcriptions', told)).text)).toMatchObject({
    text: ANSWER,
    usage: { total_tokens: 16 },
  })
  expect(upstream.requests.at(-1)?.body).toEqual({ model: 'm', language: 'de', file: { name: 'speech.wav', size: 4 } })
  expect((await send('audio/transcriptions', form({ model: 'm', response_format: 'text' }))).text).toBe(ANSWER)
  const streamed = events((await send('audio/transcriptions', form({ model: 'm', stream: 'true' }))).text)
  expect(streamed.at(-1)).toMatchObject({ type: 'transcript.text.done', text: ANSWER })
  expect((await send('audio/transcriptions', form({ model: 'm!status:503' }))).status).toBe(503)
})

test('images, moderations and rerank', async () => {
  const image = Buffer.from(ANSWER).toString('base64')
  expect(JSON.parse((await send('images/generations', { model: 'm', prompt: 'x', n: 2 })).text).data).toEqual([
    { b64_json: image },
    { b64_json: image },
  ])
  const streamed = events((await send('images/generations', { model: 'm', prompt: 'x', stream: true })).text)
  expect(streamed.map(({ type }) => type)).toEqual([
    'image_generation.partial_image',
    'image_generation.partial_image',
    'image_generation.completed',
  ])
  const { results } = JSON.parse((await send('moderations', { model: 'm', input: 'bad' })).text)
  expect(results).toEqual([expect.objectContaining({ flagged: true })])
  const ranked = JSON.parse((await send('rerank', { model: 'm', query: 'b', documents: ['a', 'b'] })).text)
  expect(ranked.results.map(({ index }: { index: number }) => index)).toEqual([1, 0])
})
