import type { ModelReply } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExact, relayStream, streamOfWhole, wholeOfStream } from '../../src/index.ts'
import { DIALECTS, WHOLE } from './support/whole-replies.ts'

type Json = Readonly<Record<string, unknown>>
const RUNS = { numRuns: 400 }

/** Bytes of events in chunks of any size. */
function chunksOf(events: readonly string[], sizes: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(events.join(''))
  const chunks: Uint8Array[] = []
  for (let at = 0, next = 0; at < bytes.length; next++) {
    const end = at + (sizes[next % sizes.length] as number)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })
const pieces = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 })

describe.each(DIALECTS)('%s', (endpoint) => {
  test('a whole reply as a stream, put together again, is the reply', () => {
    fc.assert(
      fc.property(
        WHOLE[endpoint],
        sizes,
        fc.option(pieces),
        fc.option(fc.integer({ min: 1, max: 9 })),
        (body, cuts, lengths, pieceLength) => {
          const events = streamOfWhole(endpoint, body, {
            includeUsage: true,
            pieces: lengths ?? undefined,
            pieceLength: pieceLength ?? undefined,
          })
          const again = wholeOfStream(endpoint, chunksOf(events as string[], cuts))
          expect(JSON.parse(JSON.stringify(again?.body))).toEqual(body)
        },
      ),
      RUNS,
    )
  })

  test('its pieces are those that it was cut into', () => {
    fc.assert(
      fc.property(WHOLE[endpoint], pieces, (body, lengths) => {
        const once = wholeOfStream(endpoint, chunksOf(streamOfWhole(endpoint, body, { pieces: lengths }) as string[], [64]))
        const again = streamOfWhole(endpoint, body, { pieces: once?.pieces })
        expect(wholeOfStream(endpoint, chunksOf(again as string[], [64]))?.pieces).toEqual(once?.pieces)
      }),
      { numRuns: 100 },
    )
  })

  test('no prefix of a stream is a reply', () => {
    fc.assert(
      fc.property(WHOLE[endpoint], fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (body, share) => {
        const events = streamOfWhole(endpoint, body, { includeUsage: true }) as readonly string[]
        // Chat has said all once its reason is told; what may lack then is the count and [DONE].
        const proof = events.findIndex((event) =>
          /"finish_reason":"|event: (?:message_stop|response\.(?:completed|incomplete))/.test(event),
        )
        const cut = events.slice(0, Math.floor(share * (proof === -1 ? events.length : proof)))
        expect(wholeOfStream(endpoint, chunksOf(cut, [64]))).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })

  test('the relay reads the stream to its end', async () => {
    await fc.assert(
      fc.asyncProperty(WHOLE[endpoint], async (body) => {
        const events = streamOfWhole(endpoint, body, { includeUsage: true }) as readonly string[]
        const request = { endpoint, model: 'm', body: {}, stream: true }
        const upstream = { status: 200, headers: {}, body: Object.assign(once(events), { destroy() {} }) }
        const reply: ModelReply = await relayStream(upstream, { plugin: 'test', request })
        let wire = ''
        for await (const chunk of reply.body as AsyncIterable<Uint8Array>) wire += Buffer.from(chunk).toString()
        expect(wire).toBe(events.join(''))
        expect((await reply.ended).outcome).toBe('complete')
      }),
      { numRuns: 60 },
    )
  })
})

async function* once(events: readonly string[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(events.join(''))
}

describe('what JSON parsers lose', () => {
  test('whole numbers beyond a double come through as they were written', () => {
    const text =
      '{"id":"c","created":1,"model":"m","x":{"big":9007199254740993,"small":1.5,"list":[-12345678901234567890]},"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
    const events = streamOfWhole('chat/completions', parseExact(text) as Json) as string[]
    const again = JSON.stringify(wholeOfStream('chat/completions', chunksOf(events, [7]))?.body)
    expect(again).toContain('"x":{"big":9007199254740993,"small":1.5,"list":[-12345678901234567890]}')
  })

  test('arguments of a tool in messages too', () => {
    const events = [
      { type: 'message_start', message: { id: 'm', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"n":90071992547' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '40993}' } },
      { type: 'message_stop' },
    ].map((event) => `data: ${JSON.stringify(event)}\n\n`)
    expect(JSON.stringify(wholeOfStream('messages', chunksOf(events, [9]))?.body)).toContain('"input":{"n":9007199254740993}')
  })

  test('a member called __proto__ is one like any other', () => {
    const delta = '{"choices":[{"index":0,"delta":{"content":"a","x":{"__proto__":{"polluted":true}}},"finish_reason":"stop"}]}'
    const again = wholeOfStream('chat/completions', chunksOf([`data: ${delta}\n\n`], [99]))
    expect(JSON.stringify(again?.body)).toContain('"x":{"__proto__":{"polluted":true}}')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('habits of servers', () => {
  const whole = (...chunks: readonly object[]): Json | undefined =>
    wholeOfStream(
      'chat/completions',
      chunksOf([...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n'], [50]),
    )?.body
  const delta = (said: object, finish_reason: string | null = null): object => ({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta: said, finish_reason }],
  })
  const firstOf = (body: Json | undefined): Json => (body as { readonly choices: readonly [Json] }).choices[0]
  const called = (body: Json | undefined): unknown => (firstOf(body).message as Json).tool_calls

  test('a first chunk without choices, as Azure sends it, names no model', () => {
    const body = whole(
      { id: '', model: '', choices: [], prompt_filter_results: [1] },
      delta({ role: 'assistant', content: 'a' }),
      delta({}, 'stop'),
    )
    expect(body).toMatchObject({ id: 'c', model: 'm', prompt_filter_results: [1] })
  })

  test('calls in parallel, their pieces mixed', () => {
    const piece = (index: number, text: string, head: object = {}): object =>
      delta({ tool_calls: [{ index, ...head, function: { arguments: text, ...('id' in head && { name: `f${index}` }) } }] })
    const body = whole(
      piece(0, '{"a"', { id: 'x' }),
      piece(1, '{"b"', { id: 'y' }),
      piece(0, ':1}'),
      piece(1, ':2}'),
      delta({ content: '' }, 'tool_calls'),
    )
    expect(called(body)).toEqual([
      { id: 'x', function: { name: 'f0', arguments: '{"a":1}' } },
      { id: 'y', function: { name: 'f1', arguments: '{"b":2}' } },
    ])
    expect(firstOf(body)).toMatchObject({ message: { content: null } })
  })

  test('one index for all calls, told apart by id', () => {
    const body = whole(
      delta({ tool_calls: [{ index: 0, id: 'x', function: { name: 'f', arguments: '{}' } }] }),
      delta({ tool_calls: [{ index: 0, id: 'y', function: { name: 'g', arguments: '{}' } }] }),
      delta({}, 'tool_calls'),
    )
    expect((called(body) as Json[]).map(({ id }) => id)).toEqual(['x', 'y'])
  })

  test('names said with every piece are said once', () => {
    const piece = (text: string): object =>
      delta({
        role: 'assistant',
        tool_calls: [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: text } }],
      })
    expect(called(whole(piece('{'), piece('}'), delta({}, 'tool_calls')))).toEqual([
      { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } },
    ])
  })

  test('padding is left out', () => {
    expect(whole({ ...delta({ content: 'a' }, 'stop'), obfuscation: 'xyz' })).not.toHaveProperty('obfuscation')
  })

  test('a response whose last event leaves out its output', () => {
    const item = { type: 'message', id: 'i', content: [{ type: 'output_text', text: 'a' }] }
    const events = [
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { id: 'r', output: [] } },
    ].map((event) => `data: ${JSON.stringify(event)}\n\n`)
    expect(wholeOfStream('responses', chunksOf(events, [20]))?.body).toEqual({ id: 'r', output: [item] })
  })
})

describe('what is no reply', () => {
  test.each([
    ['chat/completions', 'data: {"error":{"message":"no"}}\n\n'],
    [
      'chat/completions',
      'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: {"error":{"message":"no"}}\n\n',
    ],
    ['chat/completions', 'data: {"choices":[null]}\n\ndata: [DONE]\n\n'],
    ['chat/completions', 'data: not JSON\n\n'],
    ['chat/completions', 'data: 5\n\n'],
    ['messages', 'data: {"type":"error","error":{}}\n\n'],
    ['messages', 'data: {"type":"message_stop"}\n\n'],
    [
      'messages',
      'data: {"type":"message_start","message":{}}\n\ndata: {"type":"content_block_delta","index":3,"delta":{}}\n\n',
    ],
    ['messages', 'data: {"type":"message_start","message":null}\n\n'],
    ['responses', 'data: {"type":"response.failed","response":{}}\n\n'],
    ['responses', 'data: {"type":"response.completed"}\n\n'],
    ['embeddings', 'data: {"data":[]}\n\n'],
    ['completions', ''],
  ] as const)('%s: %s', (endpoint, wire) => {
    expect(wholeOfStream(endpoint, [Buffer.from(wire)])).toBeUndefined()
  })

  // As Mistral's models say what they think.
  test('a chat of which a part is no text', () => {
    const chunk = (delta: object, finish: string | null = null): string =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    const thought = { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'so' }] }] }
    for (const [first, second] of [
      [thought, { content: 'Hi' }],
      [{ content: 'Hi' }, thought],
    ] as const)
      expect(wholeOfStream('chat/completions', [Buffer.from(chunk(first) + chunk(second) + chunk({}, 'stop'))])).toBeUndefined()
  })

  test('an event larger than any may be', () => {
    expect(wholeOfStream('chat/completions', [Buffer.alloc(5 * 1024 * 1024, 'x')])).toBeUndefined()
  })

  test('nothing can be told as a stream that is not one', () => {
    for (const endpoint of DIALECTS)
      for (const body of [
        {},
        { choices: 1, content: 1, output: 1 },
        { choices: [null], content: [null], output: [null] },
        { choices: [{}], content: {}, output: {} },
      ])
        expect(streamOfWhole(endpoint, body)).toBeUndefined()
    expect(streamOfWhole('embeddings', { data: [] })).toBeUndefined()
  })
})

test('no piece begins or ends within a character of two code units', () => {
  const body = { choices: [{ index: 0, text: '🚃🚃a🚃🚃', finish_reason: 'stop' }] }
  for (const pieceLength of [1, 2, 3]) {
    const events = streamOfWhole('completions', body, { pieces: [1, 3], pieceLength }) as readonly string[]
    expect(events.join('')).not.toMatch(/\\ud[89a-f]/)
    expect(events.length).toBeGreaterThan(4)
  }
})
