import { type ModelEnding, type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { relayStream, translatableTo, translation } from '../../src/index.ts'
import { chunk, ending, fullReply } from './support/chat-pieces.ts'
import { bodyOf, options } from './support/wire-server.ts'

const request: ModelRequest = {
  endpoint: 'messages',
  model: 'p/m',
  body: { model: 'x', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] },
  raw: Buffer.from('{}'),
  stream: true,
  headers: { 'x-a': 'b' },
}
const ended: ModelEnding = { outcome: 'complete', usage: { inputTokens: 1, outputTokens: 1 }, usageSource: 'reported' }

function replyOf(body: ModelReply['body']): ModelReply {
  return { status: 200, headers: { 'content-type': 'x' }, body, ended: Promise.resolve(ended) }
}

async function read(reply: ModelReply): Promise<string> {
  let all = ''
  for await (const part of reply.body as AsyncIterable<Uint8Array>) all += Buffer.from(part).toString()
  return all
}

test('what can be translated is known, and the rest refused', () => {
  expect(translatableTo('responses')).toEqual(['chat/completions', 'messages'])
  expect(translatableTo('messages')).toEqual(['chat/completions'])
  expect(translatableTo('chat/completions')).toEqual(['messages'])
  expect(translatableTo('embeddings')).toEqual([])
  const attempt = (): unknown => translation({ ...request, endpoint: 'embeddings' }, 'chat/completions', options)
  expect(attempt).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  expect(() => translation(request, 'responses', options)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
})

test('the request keeps its model and headers, and its bytes are no longer those of its body', () => {
  const made = translation(request, 'chat/completions', options).request
  expect(made).toEqual({
    endpoint: 'chat/completions',
    model: 'p/m',
    stream: true,
    headers: { 'x-a': 'b' },
    body: { model: 'x', max_completion_tokens: 5, messages: [{ role: 'user', content: 'hi' }] },
  })
})

describe('the reply', () => {
  const { reply } = translation(request, 'chat/completions', options)

  test('whole, keeps status, headers and ending', async () => {
    const made = reply(replyOf(Buffer.from(JSON.stringify(fullReply))))
    expect(made.headers).toEqual({ 'content-type': 'x' })
    expect(JSON.parse(Buffer.from(made.body as Uint8Array).toString())).toMatchObject({
      type: 'message',
      stop_reason: 'tool_use',
    })
    expect(await made.ended).toBe(ended)
  })

  test.each(['<html>', '[]', '7'])('whole, is UPSTREAM_INVALID for %s', (text) => {
    expect(() => reply(replyOf(Buffer.from(text)))).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  test('streamed, is handed out as it comes, and ends as the target did', async () => {
    const made = reply(replyOf(bodyOf([chunk({ content: 'a' }), ...ending('stop')])))
    expect(await read(made)).toMatch(/^event: message_start\n[\s\S]*event: message_stop\ndata: .*\n\n$/)
    expect(await made.ended).toBe(ended)
  })

  test('streamed, rejects with the error of the target after what came before it', async () => {
    const failure = new SwitchyardError('UPSTREAM_TRUNCATED', 'cut')
    async function* broken(): AsyncIterable<Uint8Array> {
      yield Buffer.from(chunk({ content: 'half' }))
      throw failure
    }
    const made = reply(replyOf(broken()))
    const iterator = (made.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).toContain('half')
    await expect(iterator.next()).rejects.toBe(failure)
    expect((await iterator.next()).done).toBe(true)
  })

  test('streamed, that cannot be translated ends as an error and leaves the target', async () => {
    const left: string[] = []
    const pieces = [`${chunk({ content: 'half' })}data: nonsense\n\n`, 'data: [DONE]\n\n']
    // The relay refuses such a stream itself: this one hands it on.
    const raw: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]() {
        const iterator = bodyOf(pieces)[Symbol.asyncIterator]()
        return {
          next: () => iterator.next(),
          return: async () => {
            left.push('left')
            return { done: true, value: undefined }
          },
        }
      },
    }
    let settle!: (ending: ModelEnding) => void
    const target = { ...replyOf(raw), ended: new Promise<ModelEnding>((resolve) => (settle = resolve)) }
    const made = reply(target)
    const iterator = (made.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).toContain('half')
    await expect(iterator.next()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    expect(left).toEqual(['left'])
    settle({ ...ended, outcome: 'aborted' })
    expect(await made.ended).toMatchObject({ outcome: 'error', error: { code: 'UPSTREAM_INVALID' }, usage: ended.usage })
  })

  test('streamed, closes the target at once where the reader leaves during a read', async () => {
    let destroyed = 0
    let open!: () => void
    const waiting = new Promise<void>((resolve) => {
      open = resolve
    })
    const pieces = {
      destroy: () => {
        destroyed++
        open()
      },
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(chunk({ content: 'a' }))
        await waiting
      },
    }
    const made = translation(request, 'chat/completions', options)
    const target = await relayStream({ status: 200, headers: {}, body: pieces }, { plugin: 't', request: made.request })
    const translated = made.reply(target)
    const iterator = (translated.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    await iterator.next()
    const pending = iterator.next()
    await iterator.return?.()
    expect(destroyed).toBe(1)
    expect((await pending).done).toBe(true)
    expect((await iterator.next()).done).toBe(true)
    expect(await translated.ended).toMatchObject({ outcome: 'aborted' })
  })

  test('streamed, closes the target where the reader leaves before the first read', async () => {
    let destroyed = 0
    const body = { ...bodyOf([chunk({ content: 'a' })]), destroy: () => destroyed++ }
    const made = translation(request, 'chat/completions', options)
    const target = await relayStream({ status: 200, headers: {}, body }, { plugin: 't', request: made.request })
    await (made.reply(target).body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.()
    expect(destroyed).toBe(1)
    expect(await target.ended).toMatchObject({ outcome: 'aborted' })
  })
})

test.each([
  ['messages', 'chat/completions', 'length', 'max_tokens'],
  ['messages', 'chat/completions', 'tool_calls', 'tool_use'],
  ['messages', 'chat/completions', 'anything', 'end_turn'],
  ['chat/completions', 'messages', 'max_tokens', 'length'],
  ['chat/completions', 'messages', 'end_turn', 'stop'],
  ['responses', 'chat/completions', 'length', 'max_output_tokens'],
  ['responses', 'chat/completions', 'stop', 'completed'],
  ['responses', 'messages', 'max_tokens', 'max_output_tokens'],
  ['responses', 'messages', 'tool_use', 'completed'],
] as const)('the ending of %s over %s tells %s as %s, whole and streamed', async (endpoint, to, finishReason, told) => {
  const messages = [{ role: 'user', content: 'hi' }]
  const body = endpoint === 'responses' ? { model: 'x', input: 'hi' } : { model: 'x', messages, max_tokens: 5 }
  const { reply } = translation({ ...request, endpoint, body }, to, options)
  const whole = to === 'messages' ? { content: [{ type: 'text', text: 'a' }], stop_reason: finishReason } : fullReply
  for (const given of [Buffer.from(JSON.stringify(whole)), bodyOf([])]) {
    const made = reply({ ...replyOf(given), ended: Promise.resolve({ ...ended, finishReason }) })
    expect((await made.ended).finishReason).toBe(told)
  }
})
