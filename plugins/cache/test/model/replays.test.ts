import type { ModelEndpoint, ModelReply } from '@switchyard/contract'
import { wholeOfStream } from '@switchyard/model-wire'
import { BIG_INTEGER, type FakeUpstream, startFakeUpstream, virtualClock } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Kind, Marks } from '../../src/kind.ts'
import { modelKind } from '../../src/model/model-kind.ts'
import { type ModelInput, modelOptions } from '../../src/model/options.ts'
import type { Ready } from '../../src/model/ready.ts'
import { type CallInput, callOf, type ModelCall } from './support/calls.ts'
import { allOf, ask, ENDPOINTS, questionFor, textOf } from './support/upstream.ts'

type Draft = Record<string, unknown>
type Keeper = Kind<'model.invoke', Ready>

const L1: Marks = { level: 'l1', age: 3.7, entry: 'abc' }
const clock = virtualClock(1_800_000_000_000)

function kindWith(options: ModelInput = {}, at = clock): Keeper {
  return modelKind({ options: modelOptions.parse(options), secret: 's', clock: at })
}

function asking(endpoint: ModelEndpoint, body: Draft, more: CallInput = {}): ModelCall {
  return callOf({ ...more, request: { endpoint, model: 'gpt-fake', body, stream: body.stream === true, ...more.request } })
}

/** What is stored of an upstream's answer, made ready. */
async function stored(kind: Keeper, endpoint: ModelEndpoint, body: Draft, reply: ModelReply): Promise<Ready> {
  const kept = kind.keep(asking(endpoint, body), await allOf(kind.frames(reply)))
  if ('refused' in kept) throw new Error(`refused: ${kept.refused}`)
  return kind.open(kept.payload).ready
}

/** Less what differs from reply to reply, and nulls, which the two forms of one reply have in different places. */
function compared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compared)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(
    ([name, one]) => one !== null && !['created', 'created_at', 'system_fingerprint'].includes(name),
  )
  return Object.fromEntries(
    members
      .filter(([name, one]) => name !== 'id' || !/fake_?|call-1|^$/.test(String(one)))
      .map(([name, one]) => [name, compared(one)]),
  )
}

function wholeIn(endpoint: ModelEndpoint, wire: string): unknown {
  return JSON.parse(JSON.stringify(wholeOfStream(endpoint, [Buffer.from(wire)])?.body))
}

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream()
})
afterAll(() => upstream.close())

const tool = (endpoint: ModelEndpoint): Draft => {
  const schema = { type: 'object', properties: { city: { type: 'string' } } }
  if (endpoint === 'messages') return { tools: [{ name: 'weather', input_schema: schema }] }
  if (endpoint === 'responses') return { tools: [{ type: 'function', name: 'weather', parameters: schema }] }
  return { tools: [{ type: 'function', function: { name: 'weather', parameters: schema } }] }
}

describe.each(ENDPOINTS)('%s', (endpoint) => {
  const streamed = { stream: true, ...(endpoint.includes('completions') && { stream_options: { include_usage: true } }) }

  test('from either form, either form says what the upstream says in it', async () => {
    const kind = kindWith()
    for (const source of [questionFor(endpoint), questionFor(endpoint, streamed)]) {
      const ready = await stored(kind, endpoint, source, await ask(upstream, endpoint, source))
      const whole = JSON.parse(await textOf(await ask(upstream, endpoint, questionFor(endpoint)))) as unknown
      const wire = await textOf(await ask(upstream, endpoint, questionFor(endpoint, streamed)))
      const again = kind.answer(ready, asking(endpoint, questionFor(endpoint)), L1)
      expect(again.headers['content-type']).toBe('application/json')
      expect(compared(JSON.parse(await textOf(again)))).toEqual(compared(whole))
      const replayed = kind.answer(ready, asking(endpoint, questionFor(endpoint, streamed)), L1)
      expect(replayed.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      expect(compared(wholeIn(endpoint, await textOf(replayed)))).toEqual(compared(wholeIn(endpoint, wire)))
      const ending = await replayed.ended
      expect(ending).toMatchObject({ outcome: 'complete', usageSource: 'reported', usage: { inputTokens: 7, outputTokens: 9 } })
      expect(await again.ended).toMatchObject({ outcome: 'complete', usage: ending.usage, finishReason: ending.finishReason })
    }
  })

  test('tool calls, where a route takes them', async () => {
    if (endpoint === 'completions') return
    const kind = kindWith({ tools: true })
    for (const more of [tool(endpoint), { ...tool(endpoint), ...streamed }]) {
      const question = questionFor(endpoint, { ...more, model: 'gpt-fake!tool-call' })
      const ready = await stored(kind, endpoint, question, await ask(upstream, endpoint, question))
      const whole = await textOf(
        await ask(upstream, endpoint, questionFor(endpoint, { ...tool(endpoint), model: 'gpt-fake!tool-call' })),
      )
      const bare = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/(fake_)\d+/g, '$1'))
      const again = kind.answer(ready, asking(endpoint, questionFor(endpoint)), L1)
      expect(bare(compared(JSON.parse(await textOf(again))))).toEqual(bare(compared(JSON.parse(whole))))
      const replayed = kind.answer(ready, asking(endpoint, questionFor(endpoint, streamed)), L1)
      expect(bare(compared(wholeIn(endpoint, await textOf(replayed))))).toEqual(bare(compared(JSON.parse(whole))))
      expect(ready.words()).toBeUndefined()
    }
  })

  test('each reply has an id and a time of its own, and none of the upstream’s', async () => {
    const kind = kindWith()
    const question = questionFor(endpoint, streamed)
    const ready = await stored(kind, endpoint, question, await ask(upstream, endpoint, question))
    const ids = await Promise.all(
      ['one', 'two'].flatMap((id) =>
        [question, questionFor(endpoint)].map(async (body) => {
          const text = await textOf(kind.answer(ready, asking(endpoint, body, { id }), L1))
          const told = (body.stream === true ? wholeIn(endpoint, text) : JSON.parse(text)) as Draft
          if (endpoint !== 'messages') expect(told.created ?? told.created_at).toBe(1_800_000_000)
          return String(told.id)
        }),
      ),
    )
    expect(ids.map((id) => id.replace(/^.*[-_]/, ''))).toEqual(['one', 'one', 'two', 'two'])
    expect(ids[0]).toMatch(/^(?:chatcmpl-|cmpl-|resp_|msg_)one$/)
  })

  test('whole numbers beyond a double are as the upstream wrote them', async () => {
    const kind = kindWith()
    for (const question of [questionFor(endpoint), questionFor(endpoint, streamed)]) {
      const ready = await stored(kind, endpoint, question, await ask(upstream, endpoint, question))
      for (const body of [questionFor(endpoint), questionFor(endpoint, streamed)])
        expect(await textOf(kind.answer(ready, asking(endpoint, body), L1))).toContain(`"big":${BIG_INTEGER}`)
    }
  })

  test.each(['cut-mid-stream', 'no-done', 'finish-error'])('nothing is kept of a stream that suffers %s', async (fault) => {
    const kind = kindWith()
    const question = questionFor(endpoint, { ...streamed, model: `gpt-fake!${fault}` })
    const act = async (): Promise<Uint8Array[]> => allOf(kind.frames(await ask(upstream, endpoint, question)))
    await expect(act()).rejects.toThrow()
  })

  test.each(['finish:length', 'finish:content_filter'])('an answer that ended by %s', async (fault) => {
    const kind = kindWith()
    const question = questionFor(endpoint, { model: `gpt-fake!${fault}` })
    const frames = await ask(upstream, endpoint, question).then(
      (reply) => allOf(kind.frames(reply)),
      () => undefined,
    )
    if (frames === undefined) return
    const kept = kind.keep(asking(endpoint, question), frames)
    if (fault.endsWith('length'))
      expect(kind.wordsOf(kind.open((kept as { payload: Uint8Array }).payload).ready)).toBeUndefined()
    else expect(kept).toHaveProperty('refused')
  })

  test('its words are the answer', async () => {
    const kind = kindWith()
    const question = questionFor(endpoint)
    const ready = await stored(kind, endpoint, question, await ask(upstream, endpoint, question))
    expect(kind.wordsOf(ready)).toBe('Grüße aus dem 🚃-Depot: 你好, "\\n" quoted.')
  })
})

describe('streams of chat', () => {
  const streamed = (options?: Draft): Draft =>
    questionFor('chat/completions', { stream: true, ...(options && { stream_options: options }) })

  test('tell their usage only where they are asked to, whoever asked first', async () => {
    const kind = kindWith()
    for (const source of [streamed(), streamed({ include_usage: true }), questionFor('chat/completions')]) {
      const ready = await stored(
        kind,
        'chat/completions',
        source,
        await ask(upstream, 'chat/completions', {
          ...source,
          ...(source.stream === true && { stream_options: { include_usage: true } }),
        }),
      )
      const told = await textOf(kind.answer(ready, asking('chat/completions', streamed({ include_usage: true })), L1))
      expect(told).toContain('"usage":{"prompt_tokens":7')
      expect(await textOf(kind.answer(ready, asking('chat/completions', streamed()), L1))).not.toContain('usage')
      expect(
        JSON.parse(await textOf(kind.answer(ready, asking('chat/completions', questionFor('chat/completions')), L1))),
      ).toMatchObject({ usage: { total_tokens: 16 } })
    }
  })
})

describe('a response repeats what its own caller said', () => {
  test('and nothing of whoever asked first', async () => {
    const kind = kindWith()
    const first = questionFor('responses', { metadata: { secret: 'mine' }, user: 'first' })
    const body = {
      id: 'r',
      object: 'response',
      created_at: 1,
      status: 'completed',
      metadata: { secret: 'mine' },
      user: 'first',
      safety_identifier: null,
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'hi' }] }],
    }
    const reply: ModelReply = {
      status: 200,
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      ended: Promise.resolve({
        outcome: 'complete',
        usage: { inputTokens: 1, outputTokens: 1 },
        usageSource: 'reported',
        finishReason: 'completed',
      }),
    }
    const kept = kind.keep(asking('responses', first), await allOf(kind.frames(reply))) as { payload: Uint8Array }
    expect(Buffer.from(kept.payload).toString()).not.toMatch(/mine|first/)
    const { ready } = kind.open(kept.payload)
    for (const stream of [false, true]) {
      const text = await textOf(
        kind.answer(ready, asking('responses', questionFor('responses', { metadata: { a: 'b"c' }, stream })), L1),
      )
      const told = stream ? wholeIn('responses', text) : JSON.parse(text)
      expect(told).toMatchObject({ metadata: { a: 'b"c' }, user: null, safety_identifier: null })
      const plain = await textOf(kind.answer(ready, asking('responses', questionFor('responses', { stream })), L1))
      expect(stream ? wholeIn('responses', plain) : JSON.parse(plain)).toMatchObject({ metadata: {}, user: null })
    }
  })
})

describe('embeddings and rankings', () => {
  test.each<[ModelEndpoint, Draft]>([
    ['embeddings', { model: 'embedding-fake', input: ['a', 'b'] }],
    ['rerank', { model: 'gpt-fake', query: 'a', documents: ['b', 'c'] }],
  ])('%s come back as they were', async (endpoint, body) => {
    const kind = kindWith()
    const reply = await ask(upstream, endpoint, body)
    const before = JSON.parse(Buffer.from(reply.body as Uint8Array).toString()) as Draft
    const ready = await stored(kind, endpoint, body, reply)
    const again = JSON.parse(await textOf(kind.answer(ready, asking(endpoint, body), L1))) as Draft
    expect({ ...again, id: 0 }).toEqual({ ...before, id: 0 })
    expect(kind.wordsOf(ready)).toBeUndefined()
  })
})

describe('what a caller is told', () => {
  const told = async (options: ModelInput, roles: string[], marks: Marks = L1): Promise<Readonly<Record<string, string>>> => {
    const kind = kindWith(options)
    const question = questionFor('chat/completions')
    const ready = await stored(kind, 'chat/completions', question, await ask(upstream, 'chat/completions', question))
    return kind.answer(ready, asking('chat/completions', question, { principal: { roles } }), marks).headers
  }
  const l3: Marks = { level: 'l3', age: 0, entry: 'abc', similarity: 0.91234567, margin: 0.05, probability: 0.999 }

  test('that it is a hit, of which level and age', async () => {
    expect(await told({}, [])).toEqual({
      'content-type': 'application/json',
      'x-switchyard-cache': 'hit',
      'x-switchyard-cache-level': 'l1',
      age: '3',
    })
  })

  test('how alike a question was, only where that may be seen', async () => {
    expect(
      Object.keys(await told({}, ['user'], l3)).filter((name) => /similarity|margin|probability|entry/.test(name)),
    ).toEqual([])
    for (const [options, roles] of [
      [{ tellSimilarity: true }, []],
      [{}, ['trace']],
      [{}, ['admin']],
    ] as [ModelInput, string[]][])
      expect(await told(options, roles, l3)).toMatchObject({
        'x-switchyard-cache-similarity': '0.9123',
        'x-switchyard-cache-margin': '0.0500',
        'x-switchyard-cache-probability': '0.9990',
        'x-switchyard-cache-entry': 'abc',
      })
  })
})

describe('a replay', () => {
  const streamed = questionFor('chat/completions', { stream: true })
  const replay = async (options: ModelInput, more: CallInput = {}) => {
    const time = virtualClock()
    const kind = kindWith(options, time)
    const ready = await stored(kind, 'chat/completions', streamed, await ask(upstream, 'chat/completions', streamed))
    return { time, reply: kind.answer(ready, asking('chat/completions', streamed, more), L1) }
  }
  const iterator = (reply: ModelReply): AsyncIterator<Uint8Array> =>
    (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()

  test('comes at once, unless it is paced: then piece by piece, as it came', async () => {
    const { reply: atOnce } = await replay({})
    const chunks: Uint8Array[] = []
    for await (const chunk of atOnce.body as AsyncIterable<Uint8Array>) chunks.push(chunk)
    expect(chunks).toHaveLength(1)
    const { reply, time } = await replay({ paceMs: 20 })
    const said: string[] = []
    const done = (async () => {
      for await (const chunk of reply.body as AsyncIterable<Uint8Array>) said.push(Buffer.from(chunk).toString())
    })()
    await time.advance(0)
    expect(said).toHaveLength(1)
    await time.advance(40)
    expect(said).toHaveLength(3)
    await time.advance(10_000)
    await done
    const contents = said.flatMap((event) => /"content":"((?:[^"\\]|\\.)+)"/.exec(event)?.[1] ?? [])
    expect(contents).toEqual(['Grüße', ' aus', ' dem', ' 🚃', '-Depot', ': 你好', ', \\"\\\\n\\"', ' quoted', '.'])
    expect((await reply.ended).outcome).toBe('complete')
  })

  test('waits for its reader', async () => {
    const { reply, time } = await replay({ paceMs: 10 })
    const source = iterator(reply)
    await source.next()
    await time.advance(60_000)
    let settled = false
    void reply.ended.then(() => {
      settled = true
    })
    await time.advance(60_000)
    expect(settled).toBe(false)
    await source.return?.()
  })

  test('that is broken off ends as aborted, with the stored usage, and once', async () => {
    const { reply } = await replay({})
    const source = iterator(reply)
    await source.return?.()
    expect(await source.next()).toMatchObject({ done: true })
    expect(await reply.ended).toMatchObject({ outcome: 'aborted', error: { code: 'ABORTED' }, usage: { outputTokens: 12 } })
  })

  test('that is broken off while it waits ends at once, and leaves no timer', async () => {
    const { reply, time } = await replay({ paceMs: 1_000 })
    const source = iterator(reply)
    await source.next()
    const waiting = source.next()
    await source.return?.()
    expect(await waiting).toMatchObject({ done: true })
    expect(time.pending()).toBe(0)
  })

  test('ends with its call’s signal, read or unread', async () => {
    for (const read of [true, false]) {
      const controller = new AbortController()
      const { reply } = await replay({ paceMs: 1_000 }, { signal: controller.signal })
      const source = iterator(reply)
      if (read) await source.next()
      const waiting = read ? source.next() : undefined
      waiting?.catch(() => {})
      controller.abort()
      expect(await reply.ended).toMatchObject({ outcome: 'aborted' })
      await expect(waiting ?? source.next()).rejects.toMatchObject({ code: 'ABORTED' })
    }
  })

  test('for a call that was aborted before it began', async () => {
    const { reply } = await replay({}, { signal: AbortSignal.abort() })
    expect(await reply.ended).toMatchObject({ outcome: 'aborted' })
    await expect(textOf(reply)).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('payloads', () => {
  test('what is none of ours is told', async () => {
    const kind = kindWith()
    const question = questionFor('chat/completions')
    const kept = kind.keep(
      asking('chat/completions', question),
      await allOf(kind.frames(await ask(upstream, 'chat/completions', question))),
    )
    const { payload } = kept as { payload: Uint8Array }
    const changed = (change: (bytes: Buffer) => Buffer): Uint8Array => change(Buffer.from(payload))
    const bad = [
      Buffer.alloc(0),
      Buffer.from('{}'),
      changed((bytes) => {
        bytes[0] = 9
        return bytes
      }),
      changed((bytes) => bytes.subarray(0, 20)),
      changed((bytes) => bytes.subarray(0, bytes.length - 1)),
      changed((bytes) => {
        bytes.writeUInt32BE(3, 1)
        return bytes
      }),
      Buffer.concat([Buffer.of(1, 0, 0, 0, 4), Buffer.from('null{}')]),
      Buffer.concat([Buffer.of(1, 0, 0, 0, 2), Buffer.from('{}{}')]),
    ]
    for (const one of bad) expect(() => kind.open(one)).toThrow()
    expect(kind.open(payload).bytes).toBeGreaterThan(payload.byteLength)
  })

  test('an answer that holds what looks like a place for an id is left as it is', async () => {
    const kind = kindWith()
    const text = '@slot@id@slot@ and @slot@@ "@slot@created@slot@"'
    const body = {
      id: 'x',
      created: 1,
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    }
    const reply: ModelReply = {
      status: 200,
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      ended: Promise.resolve({
        outcome: 'complete',
        usage: { inputTokens: 1, outputTokens: 1 },
        usageSource: 'reported',
        finishReason: 'stop',
      }),
    }
    const ready = await stored(kind, 'chat/completions', questionFor('chat/completions'), reply)
    for (const stream of [false, true]) {
      const wire = await textOf(kind.answer(ready, asking('chat/completions', questionFor('chat/completions', { stream })), L1))
      expect(stream ? wholeIn('chat/completions', wire) : JSON.parse(wire)).toMatchObject({
        id: 'chatcmpl-call-1',
        choices: [{ message: { content: text } }],
      })
    }
  })
})
