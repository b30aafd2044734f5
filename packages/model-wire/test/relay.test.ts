import { type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test, vi } from 'vitest'
import { createSseDecoder, type RelayOptions, relayStream, relayWhole, type UpstreamBody, usageChanges } from '../src/index.ts'

const request: ModelRequest = { endpoint: 'chat/completions', model: 'p/m', body: { model: 'p/m', messages: [] }, stream: true }
const options: RelayOptions = { plugin: 'test', request }

interface Source extends UpstreamBody {
  destroyed: unknown[]
}

/** A body of the given pieces; a function is what happens there. */
function source(...pieces: (string | (() => Promise<Uint8Array>))[]): Source {
  const destroyed: unknown[] = []
  return {
    destroyed,
    destroy: (reason) => destroyed.push(reason),
    async *[Symbol.asyncIterator]() {
      for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : await piece()
    },
  }
}

const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`
const delta = (content: string, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })
const role = event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] })
const usage = event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })
const done = 'data: [DONE]\n\n'

function open(body: UpstreamBody, more: Partial<RelayOptions> = {}): Promise<ModelReply> {
  return relayStream(
    { status: 200, headers: { 'content-type': 'text/event-stream', 'content-length': '9' }, body },
    { ...options, ...more },
  )
}
async function text(reply: ModelReply): Promise<string> {
  let all = ''
  for await (const chunk of reply.body as AsyncIterable<Uint8Array>) all += Buffer.from(chunk).toString()
  return all
}

describe('a stream that is whole', () => {
  const whole = role + delta('one ') + delta('two') + delta('', 'stop') + usage + done

  test('passes byte for byte, with its usage and finish reason, and ends complete', async () => {
    const body = source(whole)
    const reply = await open(body)
    expect(reply.headers).toEqual({ 'content-type': 'text/event-stream' })
    expect(await text(reply)).toBe(whole)
    expect(await reply.ended).toEqual({
      outcome: 'complete',
      usage: { inputTokens: 3, outputTokens: 2 },
      usageSource: 'reported',
      finishReason: 'stop',
    })
  })

  test('split at every byte position hands out whole events only', async () => {
    for (let cut = 1; cut < whole.length; cut++) {
      const reply = await open(source(whole.slice(0, cut), whole.slice(cut)))
      const chunks: string[] = []
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk).toString())
      expect(chunks.join('')).toBe(whole)
      for (const chunk of chunks) expect(chunk).toMatch(/\n\n$/)
    }
  })

  test('hides the usage that the client did not ask for, and keeps the count', async () => {
    const chunks: string[] = []
    const reply = await open(source(role + delta('one ') + delta('two'), delta('', 'stop'), usage, done), { hideUsage: true })
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk).toString())
    expect(chunks).toEqual([role + delta('one ') + delta('two'), delta('', 'stop'), done])
    expect(await text(await open(source(whole), { hideUsage: true }))).toBe(whole.replace(usage, ''))
    expect((await reply.ended).usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  })

  test.each(['\r\n', '\r'])('with line ends %j split at every byte is the same stream', async (end) => {
    const wire = whole.replaceAll('\n', end)
    const shown = createSseDecoder().push(Buffer.from(whole.replace(usage, '')))
    for (let cut = 1; cut < wire.length; cut++) {
      const reply = await open(source(wire.slice(0, cut), wire.slice(cut)), { hideUsage: true })
      const seen = await text(reply)
      expect(createSseDecoder().push(Buffer.from(seen))).toEqual(shown)
      if (end === '\r\n') expect(seen).not.toMatch(/\r(?!\n|$)/)
      expect(await reply.ended).toMatchObject({ outcome: 'complete', usageSource: 'reported', finishReason: 'stop' })
    }
  })

  test('text of many bytes a character, split at every byte, passes byte for byte', async () => {
    const wire = Buffer.from(
      `\uFEFF: hi\n\n${delta('häß € 𝄞')}data: {"choices":[{"delta":\ndata: {"content":"x"}}]}\n\n${done}`,
    )
    for (let cut = 1; cut < wire.length; cut++) {
      const parts = [wire.subarray(0, cut), wire.subarray(cut)].map((part) => async () => part)
      const reply = await open(source(...parts))
      const chunks: Uint8Array[] = []
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) chunks.push(chunk)
      expect(Buffer.concat(chunks)).toEqual(wire)
      expect(await reply.ended).toMatchObject({ outcome: 'complete', usageSource: 'estimated' })
    }
  })

  test('keeps an event without choices that holds no usage: Azure begins with one', async () => {
    const filters = event({ choices: [], prompt_filter_results: [], usage: null })
    expect(await text(await open(source(filters + whole), { hideUsage: true }))).toBe(filters + whole.replace(usage, ''))
  })

  test('that was read to [DONE] at once ends aborted when the caller leaves without reading it', async () => {
    const controller = new AbortController()
    const reply = await open(source(whole), { signal: controller.signal })
    controller.abort(new SwitchyardError('ABORTED', 'over'))
    expect(await reply.ended).toMatchObject({ outcome: 'aborted', usage: { inputTokens: 3, outputTokens: 2 } })
    await expect(text(reply)).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('that was read to its end is complete, whatever the signal does later', async () => {
    const controller = new AbortController()
    const reply = await open(source(whole), { signal: controller.signal })
    expect(await text(reply)).toBe(whole)
    controller.abort()
    expect(await reply.ended).toMatchObject({ outcome: 'complete' })
  })

  test('of several choices is finished only when each of them is', async () => {
    const second = (finish: string | null): string =>
      event({ choices: [{ index: 1, delta: { content: 'b' }, finish_reason: finish }] })
    const options = { terminator: 'finish-reason' } as const
    await expect(open(source(delta('a') + second(null) + delta('', 'stop')), options).then(text)).rejects.toMatchObject({
      code: 'UPSTREAM_TRUNCATED',
    })
    const both = delta('a') + second(null) + delta('', 'stop') + second('stop')
    expect(await text(await open(source(both), options))).toBe(both)
  })

  test('is over at [DONE], though the socket stays open', async () => {
    const body = source(whole, () => new Promise(() => {}))
    await text(await open(body))
    expect(body.destroyed).toHaveLength(1)
  })

  test('leaves what is behind [DONE] to a body that can keep its connection', async () => {
    const drain = vi.fn()
    const body = { ...source(whole, () => new Promise(() => {})), drain }
    await text(await open(body))
    expect(drain).toHaveBeenCalledTimes(1)
    expect(body.destroyed).toEqual([])
    const cut = { ...source(role + delta('x')), drain: vi.fn() }
    await text(await open(cut)).catch(() => {})
    expect(cut.drain).not.toHaveBeenCalled()
    expect(cut.destroyed).toHaveLength(1)
  })

  test('may end with a finish reason only where that is the terminator', async () => {
    const bare = role + delta('x', 'stop')
    expect(await text(await open(source(bare), { terminator: 'finish-reason' }))).toBe(bare)
    await expect(open(source(bare)).then(text)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    for (const nothing of ['', ': ping\n\n', usage]) {
      await expect(open(source(nothing), { terminator: 'finish-reason' })).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    }
    await expect(open(source(role + delta('x')), { terminator: 'finish-reason' }).then(text)).rejects.toMatchObject({
      code: 'UPSTREAM_TRUNCATED',
    })
  })

  test('without usage is estimated; tool calls make the finish reason', async () => {
    const calls = event({
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '{}' } }] }, finish_reason: null }],
    })
    const reply = await open(source(calls + delta('', 'stop') + done))
    await text(reply)
    expect(await reply.ended).toMatchObject({ usageSource: 'estimated', finishReason: 'tool_calls' })
  })
})

describe('a fault before content rejects, so that the call may be repeated', () => {
  test.each<[string, string, string]>([
    ['a clean end', role, 'UPSTREAM_TRUNCATED'],
    ['nothing at all', '', 'UPSTREAM_TRUNCATED'],
    ['comments only', ': ping\n\n: ping\n\n', 'UPSTREAM_TRUNCATED'],
    ['an error event', event({ error: { message: 'no', type: 'server_error' } }), 'UPSTREAM_UNAVAILABLE'],
    ['a rate limit event', event({ error: { message: 'no', type: 'x', code: 'rate_limit_exceeded' } }), 'RATE_LIMITED'],
    ['a refusal event', event({ error: { message: 'no', type: 'invalid_request_error' } }), 'UPSTREAM_REJECTED'],
    ['an error as finish reason', delta('', 'overloaded_error') + done, 'UPSTREAM_UNAVAILABLE'],
    ['an event that is no JSON', 'data: {oops\n\n', 'UPSTREAM_INVALID'],
    ['HTML', '<html>\n\n<body></body>\n\n</html>', 'UPSTREAM_INVALID'],
    ['HTML on one line', '<html></html>', 'UPSTREAM_INVALID'],
    ['an error object in place of a stream', '{"error":{"message":"no","type":"server_error"}}', 'UPSTREAM_UNAVAILABLE'],
    [
      'an error object in place of a stream, with a blank line behind it',
      '{"error":{"message":"no","type":"rate_limit_error"}}\n\n',
      'RATE_LIMITED',
    ],
    ['a choice that is none', event({ choices: [null] }), 'UPSTREAM_INVALID'],
    [
      'choices without end',
      Array.from({ length: 2_000 }, (_, index) => event({ choices: [{ index }] })).join(''),
      'UPSTREAM_INVALID',
    ],
    ["Portkey's text wrapper", event({ 'html-message': '<html>' }), 'UPSTREAM_INVALID'],
  ])('%s', async (_, sent, code) => {
    await expect(open(source(sent))).rejects.toMatchObject({ code })
  })

  test('a socket error keeps its code', async () => {
    const reset = (): Promise<Uint8Array> => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'reset'))
    await expect(open(source(role, reset))).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
})

test('comments without end, each a chunk of its own, are refused and not kept one by one', async () => {
  const ping = Buffer.from(':\n\n')
  const body: Source = {
    destroyed: [],
    destroy: (reason) => body.destroyed.push(reason),
    async *[Symbol.asyncIterator]() {
      for (let index = 0; index < 200_000; index++) yield ping
    },
  }
  await expect(open(body, { maxEventBytes: 300_000 })).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  expect(body.destroyed).toHaveLength(1)
})

test('many small events before the content come out in order', async () => {
  const pings = Array.from({ length: 5_000 }, (_, index) => `: ${index}\n\n`)
  const all = [...pings, delta('x'), done]
  expect(await text(await open(source(...all)))).toBe(all.join(''))
})

describe('a fault after content is an error, never a quiet end', () => {
  test.each<[string, string, string, string]>([
    ['a clean end', '', 'UPSTREAM_TRUNCATED', 'truncated'],
    ['half an event', 'data: {"choi', 'UPSTREAM_TRUNCATED', 'truncated'],
    ['an error event', event({ error: { message: 'no', type: 'server_error' } }), 'UPSTREAM_UNAVAILABLE', 'error'],
    ['garbage', 'data: {oops\n\n', 'UPSTREAM_INVALID', 'error'],
  ])('%s', async (_, sent, code, outcome) => {
    const reply = await open(source(role + delta('kept') + sent))
    let seen = ''
    const read = async (): Promise<void> => {
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) seen += Buffer.from(chunk).toString()
    }
    await expect(read()).rejects.toMatchObject({ code })
    expect(seen).toBe(role + delta('kept'))
    expect(await reply.ended).toMatchObject({ outcome, error: { code }, usageSource: 'estimated' })
  })
})

test('output that nobody counted is estimated by its bytes', async () => {
  const called = event({ choices: [{ index: 0, delta: { tool_calls: [{}] } }] })
  const more = event({ choices: [{ index: 0, delta: { refusal: 'no, sir', reasoning_content: 'hmm', reasoning: 'well' } }] })
  const completion = event({ choices: [{ index: 0, text: 'abc' }] })
  const reply = await open(source(delta('漢字漢字') + called + more + completion + delta('', 'stop') + done))
  await text(reply)
  expect((await reply.ended).usage.outputTokens).toBe(Math.ceil((12 + '[{}]'.length + 7 + 3 + 4 + 3) / 4))
})

describe('content is whatever a client could have acted on, so a fault behind it is no longer hidden', () => {
  test.each<[string, object]>([
    ['text', { delta: { content: 'x' } }],
    ['a tool call', { delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: '' } }] } }],
    ['a refusal', { delta: { refusal: 'no' } }],
    ['reasoning', { delta: { reasoning_content: 'x' } }],
    ['reasoning, as others name it', { delta: { reasoning: 'x' } }],
    ['parts', { delta: { content: [{ type: 'text', text: 'x' }] } }],
    ['a completion', { text: 'x' }],
    ['an end', { delta: {}, finish_reason: 'length' }],
  ])('%s', async (_, choice) => {
    const sent = event({ choices: [choice] })
    const reply = await open(source(role + sent, event({ error: { type: 'server_error' } })))
    await expect(text(reply)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(await reply.ended).toMatchObject({ outcome: 'error' })
  })

  test.each<[string, object]>([
    ['a role', { delta: { role: 'assistant', content: '', tool_calls: [] } }],
    ['an empty completion', { text: '' }],
    ['nothing', { delta: null, finish_reason: '' }],
  ])('not %s', async (_, choice) => {
    const sent = event({ choices: [choice] })
    await expect(open(source(sent, event({ error: { type: 'server_error' } })))).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    })
  })
})

test('leaving early closes the upstream and ends aborted', async () => {
  const body = source(role + delta('a'), delta('b'), () => new Promise(() => {}))
  const reply = await open(body)
  for await (const _ of reply.body as AsyncIterable<Uint8Array>) break
  expect(body.destroyed).toHaveLength(1)
  expect(await reply.ended).toMatchObject({ outcome: 'aborted' })
})

test.each([
  ['ABORTED', 'aborted'],
  ['TIMEOUT', 'error'],
] as const)('an abort with %s ends the stream though nobody reads it', async (code, outcome) => {
  const controller = new AbortController()
  const body = source(role + delta('a'), () => new Promise(() => {}))
  const reply = await open(body, { signal: controller.signal })
  controller.abort(new SwitchyardError(code, 'over'))
  expect(await reply.ended).toMatchObject({ outcome, error: { code } })
  expect(body.destroyed).toHaveLength(1)
})

describe('whole replies', () => {
  const upstream = { status: 200, headers: { 'content-type': 'application/json', connection: 'close' } }
  const relay = (body: string, endpoint: ModelRequest['endpoint'] = 'chat/completions'): ModelReply =>
    relayWhole(upstream, Buffer.from(body), { ...options, request: { ...request, endpoint } })

  test('a success is handed on as it came', async () => {
    const body =
      '{"choices":[{"finish_reason":"stop","message":{}}],"usage":{"prompt_tokens":1,"completion_tokens":2},"x":12345678901234567890}'
    const reply = relay(body)
    expect(Buffer.from(reply.body as Uint8Array).toString()).toBe(body)
    expect(reply.headers).toEqual({ 'content-type': 'application/json' })
    expect(await reply.ended).toEqual({
      outcome: 'complete',
      usage: { inputTokens: 1, outputTokens: 2 },
      usageSource: 'reported',
      finishReason: 'stop',
    })
  })

  test.each<[string, string, ModelRequest['endpoint']]>([
    ['<html>', 'UPSTREAM_INVALID', 'chat/completions'],
    ['', 'UPSTREAM_INVALID', 'chat/completions'],
    ['{"html-message":"<html>"}', 'UPSTREAM_INVALID', 'chat/completions'],
    ['{"object":"x"}', 'UPSTREAM_INVALID', 'embeddings'],
    ['{"error":{"message":"no","type":"server_error"}}', 'UPSTREAM_UNAVAILABLE', 'chat/completions'],
    ['{"choices":[{"finish_reason":"stop"},{"finish_reason":"overloaded_error"}]}', 'UPSTREAM_UNAVAILABLE', 'chat/completions'],
    ['{"choices":[{"finish_reason":"ThrottlingException"}]}', 'UPSTREAM_INVALID', 'chat/completions'],
    ['{"choices":[{"finish_reason":"overloaded_error"}]}', 'UPSTREAM_UNAVAILABLE', 'chat/completions'],
  ])('%s is %s', (body, code, endpoint) => {
    expect(() => relay(body, endpoint)).toThrow(expect.objectContaining({ code }))
  })

  test('-1 is no count: the usage is estimated', async () => {
    expect(await relay('{"data":[],"usage":{"prompt_tokens":-1}}', 'embeddings').ended).toMatchObject({
      usageSource: 'estimated',
    })
  })

  test.each([
    ['[{}]', 'stop', 'tool_calls'],
    ['[]', 'stop', 'stop'],
    ['null', 'stop', 'stop'],
    ['[{}]', 'length', 'length'],
  ])('tool calls %s and the reason %s end as %s', async (calls, reason, told) => {
    const body = `{"choices":[{"finish_reason":"${reason}","message":{"tool_calls":${calls}}}]}`
    expect(await relay(body).ended).toMatchObject({ finishReason: told })
  })

  test('a choice that is null breaks nothing', async () => {
    expect(await relay('{"choices":[null],"usage":{"prompt_tokens":1,"completion_tokens":2}}').ended).toMatchObject({
      outcome: 'complete',
    })
  })

  test('what need not be JSON is handed on unread', async () => {
    const sound = { status: 200, headers: { 'content-type': 'audio/mpeg' } }
    const asked = { ...options, request: { ...request, endpoint: 'audio/speech' } } as const
    const { ended } = relayWhole(sound, Buffer.from('anything'), asked)
    expect(await ended).toMatchObject({ outcome: 'complete', usageSource: 'none' })
    expect(() => relay('anything', 'rerank')).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })
})

describe('asking a stream for its usage', () => {
  const asked = (stream_options: unknown, more: Partial<ModelRequest> = {}): unknown =>
    usageChanges({ ...request, body: { ...request.body, stream_options }, ...more })

  test.each([undefined, null, {}, { include_usage: false }])('%j is asked', (given) => {
    expect(asked(given)).toEqual({ stream_options: { include_usage: true } })
  })

  test('other members stay', () => {
    expect(asked({ include_obfuscation: false })).toEqual({
      stream_options: { include_obfuscation: false, include_usage: true },
    })
  })

  test.each([[{ include_usage: true }], ['text'], [7]])('%j is left as it is', (given) => {
    expect(asked(given)).toBeUndefined()
  })

  test('neither a whole reply nor an endpoint that tells it anyway is asked', () => {
    expect(asked({}, { stream: false })).toBeUndefined()
    expect(asked({}, { endpoint: 'messages' })).toBeUndefined()
    expect(asked({}, { endpoint: 'completions' })).toEqual({ stream_options: { include_usage: true } })
  })
})
