import { type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type RelayOptions, relayStream, relayWhole, type UpstreamBody } from '../src/index.ts'

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
    const reply = await open(source(whole), { hideUsage: true })
    expect(await text(reply)).toBe(whole.replace(usage, ''))
    expect((await reply.ended).usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  })

  test('is over at [DONE], though the socket stays open', async () => {
    const body = source(whole, () => new Promise(() => {}))
    await text(await open(body))
    expect(body.destroyed).toHaveLength(1)
  })

  test('may end with a finish reason only where that is the terminator', async () => {
    const bare = role + delta('x', 'stop')
    expect(await text(await open(source(bare), { terminator: 'finish-reason' }))).toBe(bare)
    await expect(open(source(bare)).then(text)).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
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
    ["Portkey's text wrapper", event({ 'html-message': '<html>' }), 'UPSTREAM_INVALID'],
  ])('%s', async (_, sent, code) => {
    await expect(open(source(sent))).rejects.toMatchObject({ code })
  })

  test('a socket error keeps its code', async () => {
    const reset = (): Promise<Uint8Array> => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'reset'))
    await expect(open(source(role, reset))).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
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
    ['{"choices":[{"finish_reason":"overloaded_error"}]}', 'UPSTREAM_UNAVAILABLE', 'chat/completions'],
  ])('%s is %s', (body, code, endpoint) => {
    expect(() => relay(body, endpoint)).toThrow(expect.objectContaining({ code }))
  })

  test('-1 is no count: the usage is estimated', async () => {
    expect(await relay('{"data":[],"usage":{"prompt_tokens":-1}}', 'embeddings').ended).toMatchObject({
      usageSource: 'estimated',
    })
  })

  test('endpoints without a row are handed on unread', async () => {
    expect(await relay('anything', 'rerank').ended).toMatchObject({ outcome: 'complete', usageSource: 'none' })
  })
})
