import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembled } from '../../src/model/assembled.ts'
import { frameKind, framesOf } from '../../src/model/frames.ts'
import { modelKind } from '../../src/model/model-kind.ts'
import { modelOptions } from '../../src/model/options.ts'
import { callOf } from './support/calls.ts'
import { allOf } from './support/upstream.ts'

const COMPLETE: ModelEnding = {
  outcome: 'complete',
  usage: { inputTokens: 1, outputTokens: 2 },
  usageSource: 'reported',
  finishReason: 'stop',
}
const call = callOf()

function whole(body: Uint8Array, ending: ModelEnding = COMPLETE): ModelReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-ratelimit-limit': '5', 'set-cookie': 'a' },
    body,
    ended: Promise.resolve(ending),
  }
}

interface Source {
  readonly reply: ModelReply
  push(chunk: Uint8Array): void
  end(ending?: ModelEnding): void
  fail(error: unknown, ending?: ModelEnding): void
  readonly left: boolean
}

/** A stream whose upstream is played by hand. */
function source(): Source {
  type Step = IteratorResult<Uint8Array> | { readonly error: unknown }
  const steps: Step[] = []
  let waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined
  let left = false
  const { promise: ended, resolve: settle } = Promise.withResolvers<ModelEnding>()
  const serve = (): void => {
    if (waiting === undefined || steps.length === 0) return
    const step = steps.shift() as Step
    if ('error' in step) waiting.reject(step.error)
    else waiting.resolve(step)
    waiting = undefined
  }
  const put = (step: Step): void => {
    steps.push(step)
    serve()
  }
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next() {
      waiting = Promise.withResolvers()
      const { promise } = waiting
      serve()
      return promise
    },
    async return() {
      left = true
      settle({ ...COMPLETE, outcome: 'aborted' })
      put({ done: true, value: undefined })
      return { done: true, value: undefined }
    },
  }
  return {
    reply: { status: 200, headers: { 'content-type': 'text/event-stream' }, body, ended },
    push: (value) => put({ done: false, value }),
    end(ending = COMPLETE) {
      settle(ending)
      put({ done: true, value: undefined })
    },
    fail(error, ending = { ...COMPLETE, outcome: 'error' }) {
      settle(ending)
      put({ error })
    },
    get left() {
      return left
    },
  }
}

async function* listed(frames: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* frames
}

describe('frames of a reply', () => {
  test('bring back what it was, whatever its bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 6 })), fc.boolean(), async (chunks, streamed) => {
        const bytes = Buffer.concat(chunks)
        const reply: ModelReply = streamed ? { ...whole(bytes), body: listed(chunks) } : whole(bytes)
        const frames = await allOf(framesOf(reply))
        expect(frames.filter((frame) => frameKind(frame) !== 'body')).toHaveLength(2)
        const again = await assembled(listed(frames), call, undefined)
        const got = again.body instanceof Uint8Array ? [again.body] : await allOf(again.body)
        expect(again.body instanceof Uint8Array).toBe(!streamed)
        expect(Buffer.concat(got)).toEqual(bytes)
        if (streamed) expect(got.map((chunk) => Buffer.from(chunk))).toEqual(chunks.map((chunk) => Buffer.from(chunk)))
        expect(await again.ended).toEqual(COMPLETE)
      }),
      { numRuns: 300 },
    )
  })

  test('hand on headers of the reply and none of the one call', async () => {
    const again = await assembled(framesOf(whole(Buffer.from('{}'))), call, { age: '0' })
    expect(again.headers).toEqual({ 'content-type': 'application/json', age: '0' })
  })

  test('do not copy what comes', async () => {
    const chunk = Buffer.from('data: x\n\n')
    const frames = await allOf(framesOf({ ...whole(chunk), body: listed([chunk]) }))
    expect(frames[1]).toBe(chunk)
  })

  test('come as the reply does', async () => {
    const upstream = source()
    const frames = framesOf(upstream.reply)
    await frames.next()
    const waiting = frames.next()
    let came = false
    void waiting.then(() => {
      came = true
    })
    await new Promise(setImmediate)
    expect(came).toBe(false)
    upstream.push(Buffer.from('a'))
    expect(Buffer.from((await waiting).value).toString()).toBe('a')
    await frames.return?.()
  })

  test('throw where it breaks off, behind what it came to', async () => {
    const upstream = source()
    const error = new SwitchyardError('UPSTREAM_TRUNCATED', 'cut')
    upstream.push(Buffer.from('a'))
    upstream.fail(error, { ...COMPLETE, outcome: 'truncated', error })
    const frames = framesOf(upstream.reply)
    const again = await assembled(frames, call, undefined)
    const read: string[] = []
    await expect(
      (async () => {
        for await (const chunk of again.body as AsyncIterable<Uint8Array>) read.push(Buffer.from(chunk).toString())
      })(),
    ).rejects.toBe(error)
    expect(read).toEqual(['a'])
    expect(await again.ended).toMatchObject({ outcome: 'truncated', error, usage: COMPLETE.usage })
    expect(await frames.next()).toMatchObject({ done: true })
  })

  test('throw where a reply ended badly without saying so by its body', async () => {
    const ending: ModelEnding = { ...COMPLETE, outcome: 'truncated' }
    await expect(allOf(framesOf(whole(Buffer.from('{}'), ending)))).rejects.toMatchObject({ code: 'UPSTREAM_TRUNCATED' })
    await expect(assembled(framesOf(whole(Buffer.from('{}'), ending)), call, undefined)).rejects.toMatchObject({
      code: 'UPSTREAM_TRUNCATED',
    })
  })

  test('that are broken off abort the reply at once, also while they wait for it', async () => {
    for (const waits of [true, false]) {
      const upstream = source()
      const frames = framesOf(upstream.reply)
      await frames.next()
      const waiting = waits ? frames.next() : undefined
      await frames.return?.()
      expect(upstream.left).toBe(true)
      if (waiting !== undefined) expect(await waiting).toMatchObject({ done: true })
      expect(await frames.next()).toMatchObject({ done: true })
    }
    const unread = source()
    await framesOf(unread.reply).return?.()
    expect(unread.left).toBe(true)
  })
})

describe('a shared reply', () => {
  const shared = async (signal?: AbortSignal) => {
    const upstream = source()
    const reply = await assembled(framesOf(upstream.reply), callOf({ ...(signal && { signal }) }), undefined)
    return { upstream, reply, iterator: (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]() }
  }

  test('that is broken off breaks off the frames, while it waits too', async () => {
    const { upstream, reply, iterator } = await shared()
    const waiting = iterator.next()
    await iterator.return?.()
    expect(upstream.left).toBe(true)
    expect(await waiting).toMatchObject({ done: true })
    expect(await reply.ended).toMatchObject({ outcome: 'aborted', error: { code: 'ABORTED' } })
    expect(await iterator.next()).toMatchObject({ done: true })
  })

  test('ends with its call’s signal, read or unread', async () => {
    for (const reads of [true, false]) {
      const controller = new AbortController()
      const { upstream, reply, iterator } = await shared(controller.signal)
      const waiting = reads ? iterator.next() : undefined
      waiting?.catch(() => {})
      const reason = new SwitchyardError('TIMEOUT', 'late')
      controller.abort(reason)
      expect(await reply.ended).toMatchObject({ outcome: 'error', error: reason, usageSource: 'none' })
      expect(upstream.left).toBe(true)
      await expect(waiting ?? iterator.next()).rejects.toBe(reason)
    }
  })

  test('of a call that was aborted before', async () => {
    const { upstream, reply, iterator } = await shared(AbortSignal.abort())
    expect(await reply.ended).toMatchObject({ outcome: 'aborted' })
    expect(upstream.left).toBe(true)
    await expect(iterator.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('tells its ending only once all was read', async () => {
    const { upstream, reply, iterator } = await shared()
    upstream.push(Buffer.from('a'))
    upstream.end()
    let settled = false
    void reply.ended.then(() => {
      settled = true
    })
    await iterator.next()
    await new Promise(setImmediate)
    expect(settled).toBe(false)
    expect(await iterator.next()).toMatchObject({ done: true })
    expect(await reply.ended).toEqual(COMPLETE)
  })

  test.each<[string, readonly Uint8Array[]]>([
    ['no frame', []],
    ['no head', [Buffer.from('{}')]],
    ['a head that is no JSON', [Buffer.of(0, 1, 123)]],
    ['a head of null', [Buffer.concat([Buffer.of(0, 1), Buffer.from('null')])]],
    [
      'no end',
      [Buffer.concat([Buffer.of(0, 1), Buffer.from('{"status":200,"headers":{},"stream":false}')]), Buffer.from('{}')],
    ],
    [
      'an end that is none',
      [Buffer.concat([Buffer.of(0, 1), Buffer.from('{"status":200,"headers":{},"stream":false}')]), Buffer.of(0, 2, 123, 125)],
    ],
  ])('is refused with %s', async (_, frames) => {
    await expect(assembled(listed(frames), call, undefined)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  test('a stream without its end frame is cut', async () => {
    const head = Buffer.concat([Buffer.of(0, 1), Buffer.from('{"status":200,"headers":{},"stream":true}')])
    const reply = await assembled(listed([head, Buffer.from('a')]), call, undefined)
    await expect(allOf(reply.body as AsyncIterable<Uint8Array>)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    expect(await reply.ended).toMatchObject({ outcome: 'error' })
  })

  test('what is thrown and no SwitchyardError becomes one', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([Buffer.of(0, 1), Buffer.from('{"status":200,"headers":{},"stream":true}')])
      throw new Error('odd')
    }
    const reply = await assembled(broken(), call, undefined)
    await expect(allOf(reply.body as AsyncIterable<Uint8Array>)).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

describe('what is kept', () => {
  type Draft = Record<string, unknown>
  const kind = (options = {}) =>
    modelKind({ options: modelOptions.parse(options), secret: 's', clock: { now: () => 0, schedule: () => () => {} } })
  const message = (more: Draft = {}): Draft => ({ role: 'assistant', content: 'hi', ...more })
  const body = (more: Draft = {}, choice: Draft = {}): Draft => ({
    id: 'x',
    model: 'gpt-x',
    choices: [{ index: 0, message: message(), finish_reason: 'stop', ...choice }],
    ...more,
  })
  const keep = async (
    said: unknown,
    ending: Partial<ModelEnding> = {},
    reply: Partial<ModelReply> = {},
    options = {},
    request: Draft = {},
  ) => {
    const one = {
      ...whole(Buffer.from(typeof said === 'string' ? said : JSON.stringify(said)), { ...COMPLETE, ...ending }),
      ...reply,
    }
    return kind(options).keep(callOf({ request }), await allOf(framesOf(one)))
  }

  test('a good answer, and who gave it', async () => {
    expect(await keep(body(), {}, { headers: { 'x-portkey-cache-status': 'SEMANTIC MISS' } })).toHaveProperty('payload')
    expect(await keep(body())).toMatchObject({ by: 'gpt-x' })
    expect(await keep(body({ model: undefined }))).toMatchObject({ by: 'm' })
  })

  test.each<[string, unknown, Partial<ModelEnding>?, Partial<ModelReply>?]>([
    ['status', body(), {}, { status: 201 }],
    ['status', body(), {}, { status: 246 }],
    ['degraded', body(), {}, { headers: { 'x-switchyard-degraded': 'static-answer' } }],
    ['cached', body(), {}, { headers: { 'x-portkey-cache-status': 'SEMANTIC HIT' } }],
    ['cached', body(), {}, { headers: { 'x-portkey-cache-status': 'HIT' } }],
    ['cached', body(), {}, { headers: { 'x-switchyard-cache': 'hit' } }],
    ['malformed', '<html>'],
    ['malformed', '[]'],
    ['malformed', {}],
    ['malformed', { choices: 5 }],
    ['malformed', body({}, { message: undefined, text: 'hi' })],
    ['error', body({ error: { message: 'x' } })],
    ['guard', body({ hook_results: { after_request_hooks: [{ verdict: true }, { verdict: false }] } })],
    ['many-answers', body({ choices: [] })],
    ['many-answers', body({ choices: [{ message: message() }, { message: message() }] })],
    ['no-finish-reason', body(), { finishReason: undefined as never }],
    ['refused', body(), { finishReason: 'content_filter' }],
    ['refused', body(), { finishReason: 'refusal' }],
    ['refused', body({}, { message: message({ refusal: 'no' }) })],
    ['refused', body({}, { message: null })],
    ['finish-reason', body(), { finishReason: 'pause_turn' }],
    ['tools', body(), { finishReason: 'tool_calls' }],
    ['tools', body({}, { message: message({ tool_calls: [{ function: { name: 'f' } }] }) })],
    ['empty', body({}, { message: message({ content: ' \n' }) })],
    ['empty', body({}, { message: message({ content: null }) })],
  ])('nothing, as it is %s: %j', async (reason, said, ending, reply) => {
    expect(await keep(said, ending, reply)).toEqual({ refused: reason })
  })

  test('nothing that is too large, and what is just not', async () => {
    const size = Buffer.byteLength(JSON.stringify(body()))
    expect(await keep(body(), {}, {}, { maxReplyBytes: size - 1 })).toEqual({ refused: 'too-large' })
    expect(await keep(body(), {}, {}, { maxReplyBytes: size })).toHaveProperty('payload')
  })

  test('nothing of frames that are not all there', () => {
    expect(kind().keep(call, [])).toEqual({ refused: 'not-complete' })
    expect(kind().keep(call, [Buffer.from('a'), Buffer.from('b')])).toEqual({ refused: 'not-complete' })
  })

  test('nothing of frames that are none, and never a throw', () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .tuple(fc.constantFrom(1, 2), fc.jsonValue())
        .map(([mark, value]) => Buffer.concat([Buffer.of(0, mark), Buffer.from(JSON.stringify(value))])),
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), (frames) => {
        expect(kind().keep(call, frames)).toHaveProperty('refused')
      }),
    )
  })

  test('calls where the route takes them; an answer at its limit, but no words of it', async () => {
    const called = body(
      {},
      {
        message: message({ content: null, tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }] }),
        finish_reason: 'tool_calls',
      },
    )
    expect(await keep(called, { finishReason: 'tool_calls' }, {}, { tools: true })).toHaveProperty('payload')
    const cut = await keep(body({}, { finish_reason: 'length' }), { finishReason: 'length' })
    const { ready } = kind().open((cut as { payload: Uint8Array }).payload)
    expect(kind().wordsOf(ready)).toBeUndefined()
  })

  test('a stream that is none of its endpoint is nothing', async () => {
    expect(await keep(body(), {}, { body: listed([Buffer.from('data: {"choices":[]}\n\n')]) })).toEqual({
      refused: 'malformed',
    })
  })
})
