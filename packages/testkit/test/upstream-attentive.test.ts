import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../src/index.ts'
import { fittingValue } from '../src/upstream/fitting-value.ts'

type Json = Record<string, unknown>

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream({ attentive: true, endpoints: ['chat/completions', 'messages', 'responses'] })
})
afterEach(() => upstream.clear())
afterAll(() => upstream.close())

async function ask(path: string, body: Json): Promise<Json> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', ...body }),
  }
  const reply = await fetch(`${upstream.url}/${path}`, init)
  return { ...((await reply.json()) as Json), status: reply.status }
}

/** One request in each dialect, and what of its reply tells the answer. */
interface Dialect {
  readonly path: string
  readonly body: (wanted: Wanted) => Json
  readonly said: (reply: Json) => unknown
  readonly called: (reply: Json) => readonly [name: string, input: unknown][]
}

interface Wanted {
  readonly text?: string
  readonly image?: string
  readonly tools?: readonly string[]
  readonly only?: string
  readonly single?: boolean
  readonly results?: readonly string[]
  readonly schema?: object
}

const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Bern', 'Basel'] }, days: { type: 'integer' } },
}
const INPUT = { city: 'Bern', days: 3 }
const PIXEL = 'iVBORw0KGgo='

const chat: Dialect = {
  path: 'chat/completions',
  body: ({ text = '', image, tools, only, single, results = [], schema }) => ({
    messages: [
      { role: 'user', content: 'before the last answer' },
      { role: 'assistant', content: 'so it is' },
      { role: 'user', content: [{ type: 'text', text }, ...(image ? [{ type: 'image_url', image_url: { url: image } }] : [])] },
      ...results.map((content, index) => ({ role: 'tool', tool_call_id: `c${index}`, content })),
    ],
    tools: tools?.map((name) => ({ type: 'function', function: { name, parameters: PARAMETERS } })),
    tool_choice: only === undefined ? undefined : only === 'none' ? only : { type: 'function', function: { name: only } },
    parallel_tool_calls: single === true ? false : undefined,
    response_format: schema && { type: 'json_schema', json_schema: { name: 'answer', schema } },
  }),
  said: ({ choices }) => (choices as { message: Json }[])[0]?.message.content,
  called: ({ choices }) =>
    (choices as { message: { tool_calls: { function: { name: string; arguments: string } }[] } }[])[0]?.message.tool_calls.map(
      ({ function: made }) => [made.name, JSON.parse(made.arguments)],
    ) ?? [],
}

const messages: Dialect = {
  path: 'messages',
  body: ({ text = '', image, tools, only, single, results = [], schema }) => ({
    max_tokens: 100,
    messages: [
      { role: 'user', content: 'before the last answer' },
      { role: 'assistant', content: 'so it is' },
      {
        role: 'user',
        content: [
          ...results.map((content, index) => ({
            type: 'tool_result',
            tool_use_id: `c${index}`,
            content: [{ type: 'text', text: content }],
          })),
          { type: 'text', text },
          ...(image ? [{ type: 'image', source: sourceOf(image) }] : []),
        ],
      },
    ],
    tools: tools?.map((name) => ({ name, input_schema: PARAMETERS })),
    tool_choice:
      only === undefined && single !== true
        ? undefined
        : {
            ...(only === undefined ? { type: 'auto' } : only === 'none' ? { type: 'none' } : { type: 'tool', name: only }),
            disable_parallel_tool_use: single,
          },
    output_config: schema && { format: { type: 'json_schema', schema } },
  }),
  said: ({ content }) => (content as Json[])[0]?.text,
  called: ({ content }) => (content as { name: string; input: unknown }[]).map(({ name, input }) => [name, input]),
}

function sourceOf(url: string): object {
  const data = /^data:(.*);base64,(.*)$/.exec(url)
  return data === null ? { type: 'url', url } : { type: 'base64', media_type: data[1], data: data[2] }
}

const responses: Dialect = {
  path: 'responses',
  body: ({ text = '', image, tools, only, single, results = [], schema }) => ({
    input: [
      { role: 'user', content: 'before the last answer' },
      { type: 'function_call', call_id: 'c0', name: 'x', arguments: '{}' },
      {
        role: 'user',
        content: [{ type: 'input_text', text }, ...(image ? [{ type: 'input_image', image_url: image }] : [])],
      },
      ...results.map((output, index) => ({ type: 'function_call_output', call_id: `c${index}`, output })),
    ],
    tools: tools?.map((name) => ({ type: 'function', name, parameters: PARAMETERS })),
    tool_choice: only === undefined ? undefined : only === 'none' ? only : { type: 'function', name: only },
    parallel_tool_calls: single === true ? false : undefined,
    text: schema && { format: { type: 'json_schema', name: 'answer', schema } },
  }),
  said: ({ output }) => (output as { content: Json[] }[])[0]?.content[0]?.text,
  called: ({ output }) =>
    (output as { name: string; arguments: string }[]).map(({ name, arguments: given }) => [name, JSON.parse(given)]),
}

describe.each([chat, messages, responses])('an attentive upstream at $path', ({ path, body, said, called }) => {
  const wanted = (what: Wanted): Promise<Json> => ask(path, body(what))

  test('says back what was said since the last answer', async () => {
    expect(said(await wanted({ text: 'Grüße' }))).toBe('You said: Grüße')
  })

  test('names images', async () => {
    expect(said(await wanted({ image: `data:image/png;base64,${PIXEL}` }))).toBe('I saw image/png of 8 bytes')
    expect(said(await wanted({ image: 'https://example.com/cat.png' }))).toBe('I saw https://example.com/cat.png')
  })

  test('calls every tool that it may', async () => {
    const tools = ['weather', 'news']
    expect(called(await wanted({ tools }))).toEqual([
      ['weather', INPUT],
      ['news', INPUT],
    ])
    expect(called(await wanted({ tools, only: 'news' }))).toEqual([['news', INPUT]])
    expect(called(await wanted({ tools, single: true }))).toEqual([['weather', INPUT]])
    expect(said(await wanted({ tools, only: 'none', text: 'x' }))).toBe('You said: x')
  })

  test('repeats what tools gave, and calls no more', async () => {
    expect(said(await wanted({ tools: ['weather'], results: ['rain', 'wind'] }))).toBe('The tools said: rain and wind')
  })

  test('fills a schema', async () => {
    expect(JSON.parse(String(said(await wanted({ schema: PARAMETERS }))))).toEqual(INPUT)
  })

  test('still suffers faults', async () => {
    expect(await wanted({ text: 'x' })).toMatchObject({ status: 200 })
    upstream.script('status:503')
    expect(await wanted({ text: 'x' })).toMatchObject({ status: 503 })
  })
})

test('streams several calls, each in its place', async () => {
  const body = JSON.stringify({ model: 'm', stream: true, ...responses.body({ tools: ['weather', 'news'] }) })
  const text = await (await fetch(`${upstream.url}/responses`, { method: 'POST', body })).text()
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(String(data)) as Json)
  const given = [0, 1].map((index) => events.filter(({ delta, output_index }) => delta !== undefined && output_index === index))
  for (const deltas of given) expect(JSON.parse(deltas.map(({ delta }) => delta).join(''))).toEqual(INPUT)
  expect(events.at(-1)?.response).toMatchObject({ output: [{ name: 'weather' }, { name: 'news' }] })
})

test('an endpoint that it does not speak is 404', async () => {
  expect(await ask('embeddings', { input: 'x' })).toMatchObject({ status: 404, error: { code: 'unknown_url' } })
})

test('reads a plain string, two messages, and a wish for JSON without a schema', async () => {
  expect(responses.said(await ask('responses', { input: 'hi' }))).toBe('You said: hi')
  const turns = ['a', 'b'].map((content) => ({ role: 'user', content }))
  expect(chat.said(await ask('chat/completions', { messages: turns }))).toBe('You said: a b')
  const free = { messages: turns, response_format: { type: 'json_object' } }
  expect(chat.said(await ask('chat/completions', free))).toBe('{}')
})

const TREE = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      required: ['next'],
      properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] }, more: { type: ['string', 'null'] } },
    },
  },
}

test.each<[unknown, unknown]>([
  [undefined, 'Grüße 🚃'],
  [{ type: 'string', minLength: 10 }, 'Grüße 🚃..'],
  [{ type: 'string', maxLength: 2 }, 'Gr'],
  [{ type: 'string', format: 'date-time' }, '2026-01-02T03:04:05Z'],
  [{ type: 'integer' }, 3],
  [{ type: 'integer', minimum: 7 }, 7],
  [{ type: 'integer', exclusiveMaximum: 2 }, 1],
  [{ type: 'number', exclusiveMinimum: 4, maximum: 4.5 }, 4.5],
  [{ type: 'boolean' }, true],
  [{ type: 'null' }, null],
  [{ type: ['null', 'boolean'] }, true],
  [{ const: 0 }, 0],
  [{ oneOf: [{ type: 'null' }, { type: 'integer' }] }, 3],
  [{ allOf: [{ type: 'object' }, { properties: { a: { const: 1 } } }] }, { a: 1 }],
  [{ type: 'array', items: { type: 'boolean' } }, [true]],
  [{ type: 'array', minItems: 2, items: { const: 1 } }, [1, 1]],
  [{ properties: { a: { enum: ['x', 'y'] } } }, { a: 'x' }],
])('a value for %j is %j', (schema, value) => {
  expect(fittingValue(schema)).toEqual(value)
})

test('a schema that holds itself comes to an end', () => {
  const value = fittingValue(TREE) as { next: { next: unknown; more: unknown } }
  expect(value.next.more).toBe('Grüße 🚃')
  expect(JSON.stringify(value)).toContain('{"next":null')
  const list = { type: 'object', properties: { all: { type: 'array', items: { $ref: '#' } } }, required: ['all'] }
  expect(JSON.stringify(fittingValue(list))).toContain('"all":[]')
})
