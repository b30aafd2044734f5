import type { ModelEnding, ModelReply } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { answerOf, type Comparison } from '../../src/guided/reply-answer.ts'
import { wholeAsStream } from '../../src/guided/whole-as-stream.ts'
import { offeredFunctions, promptOf, shapeOf, taskClassFor } from '../../src/shape.ts'
import { wholeReply } from '../support/route.ts'

const ended = (finishReason?: string, outcome: ModelEnding['outcome'] = 'complete'): ModelEnding => ({
  outcome,
  usage: { inputTokens: 1, outputTokens: 1 },
  usageSource: 'reported',
  ...(finishReason !== undefined && { finishReason }),
})
const label: Comparison = { kind: 'label', json: false, offered: [] }
const json: Comparison = { kind: 'text', json: true, offered: [] }
const offered = [{ name: 'add', parameters: { properties: { a: { type: 'integer' } }, required: ['a'] } }]
const calls: Comparison = { kind: 'call', json: false, offered }
const of = (body: unknown, comparison: Comparison, ending = ended('stop')): string | undefined =>
  answerOf(wholeReply(typeof body === 'string' ? body : JSON.stringify(body)), ending, comparison)
const chat = (message: unknown): unknown => ({ choices: [{ message }] })
const messages = (...content: unknown[]): unknown => ({ type: 'message', content })
const responses = (...output: unknown[]): unknown => ({ object: 'response', output })

describe('what no check may accept', () => {
  test.each<[string, unknown, Comparison]>([
    ['no JSON', '<html>', label],
    ['null', 'null', label],
    ['nothing said', {}, label],
    ['two choices', { choices: [{ message: { content: 'A' } }, { message: { content: 'A' } }] }, label],
    ['a choice that is nothing', { choices: [null] }, label],
    ['a refusal in chat', chat({ content: 'A', refusal: 'I cannot' }), label],
    ['a refusal in responses', responses({ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }), label],
    ['an empty text', chat({ content: ' ' }), label],
    ['tool calls where a label is due', chat({ content: 'A', tool_calls: [{ function: { name: 'add' } }] }), label],
    ['a text where tool calls are due', chat({ content: '[add(a=1)]' }), calls],
    ['a call of what was not offered', chat({ tool_calls: [{ function: { name: 'sub', arguments: '{"a":1}' } }] }), calls],
    ['a call without what it needs', chat({ tool_calls: [{ function: { name: 'add', arguments: '{}' } }] }), calls],
    ['a call with broken arguments', chat({ tool_calls: [{ function: { name: 'add', arguments: '{"a":' } }] }), calls],
    ['prose where JSON is due', chat({ content: 'Sure: {"a":1}' }), json],
  ])('%s', (_, body, comparison) => expect(of(body, comparison)).toBeUndefined())

  test.each(['length', 'max_tokens', 'content_filter', 'refusal'])('a reply that ended by %s', (reason) => {
    expect(of(chat({ content: 'A' }), label, ended(reason))).toBeUndefined()
  })

  test.each(['truncated', 'aborted', 'error'] as const)('one that was %s', (outcome) => {
    expect(of(chat({ content: 'A' }), label, ended('stop', outcome))).toBeUndefined()
  })

  test('a stream', () => {
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1)
    }
    expect(answerOf({ body: stream() }, ended('stop'), label)).toBeUndefined()
  })
})

describe('alike in every dialect', () => {
  test('labels', () => {
    const said = [
      of(chat({ content: ' (b). ' }), label),
      of({ choices: [{ text: 'B' }] }, label),
      of(messages({ type: 'thinking', thinking: 'x' }, { type: 'text', text: 'B' }), label, ended('end_turn')),
      of(responses({ type: 'reasoning' }, { type: 'message', content: [{ type: 'output_text', text: 'b' }] }), label, ended()),
    ]
    expect(said).toEqual(['B', 'B', 'B', 'B'])
  })

  test('tool calls, whatever order their arguments have', () => {
    const two = { ...calls, offered: [] }
    const said = [
      of(chat({ content: null, tool_calls: [{ id: '1', function: { name: 'f', arguments: '{"a":1,"b":"x"}' } }] }), two),
      of(messages({ type: 'tool_use', id: '2', name: 'f', input: { b: 'x', a: 1 } }), two, ended('tool_use')),
      of(responses({ type: 'function_call', name: 'f', arguments: '{"b":"x","a":1}' }), two),
    ]
    expect(new Set(said).size).toBe(1)
    expect(said[0]).toBeDefined()
    expect(of(chat({ tool_calls: [{ function: { name: 'f', arguments: '{"a":2,"b":"x"}' } }] }), two)).not.toBe(said[0])
    expect(of(chat({ tool_calls: [{ function: { name: 'add', arguments: '{"a":1}' } }] }), calls)).toBeDefined()
  })

  test('JSON, whatever order and space it has', () => {
    const first = of(chat({ content: '{"a": [1, {"x": null}], "b": "B"}' }), json)
    expect(first).toBeDefined()
    expect(of(chat({ content: '{"b":"B","a":[1,{"x":null}]}' }), json)).toBe(first)
    expect(of(chat({ content: '{"b":"b","a":[1,{"x":null}]}' }), json)).not.toBe(first)
  })
})

describe('the shape of a request', () => {
  const shape = (body: Record<string, unknown>, answer?: 'label') => shapeOf({ body, stream: false }, answer)
  const kind = (body: Record<string, unknown>, answer?: 'label') => taskClassFor({ body, stream: false }, answer)

  test('tells the kind of question', () => {
    expect(kind({})).toBe('chat')
    expect(kind({}, 'label')).toBe('label')
    expect(kind({ tools: [{ type: 'function', function: { name: 'f' } }] }, 'label')).toBe('tools')
    expect(kind({ response_format: { type: 'json_object' } })).toBe('schema')
    expect(kind({ text: { format: { type: 'json_schema' } } })).toBe('schema')
  })

  test.each<[Record<string, unknown>, object]>([
    [{ n: 3 }, { n: 3 }],
    [{ best_of: 2 }, { n: 2 }],
    [{ n: 'x' }, { n: 1 }],
    [{ logprobs: false }, { logprobs: false }],
    [{ logprobs: 0 }, { logprobs: true }],
    [{ top_logprobs: 2 }, { logprobs: true }],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, { hostedTools: true }],
    [{ web_search_options: {} }, { hostedTools: true }],
    [{ mcp_servers: [] }, { hostedTools: true }],
    [{ tools: [{ name: 'f', input_schema: {} }] }, { hostedTools: false }],
    [{ tools: [null] }, { hostedTools: false }],
  ])('%j is %j', (body, expected) => expect(shape(body)).toMatchObject(expected))

  test('what it asks is the last that the user said, in any dialect', () => {
    const turn = (role: string, content: unknown) => ({ role, content })
    const asked = (body: Record<string, unknown>) => promptOf({ body })
    expect(asked({ messages: [turn('user', 'one'), turn('assistant', 'x'), turn('user', 'two'), turn('tool', 'y')] })).toBe(
      'two',
    )
    expect(asked({ messages: [turn('user', [{ type: 'text', text: 'a' }, { type: 'image' }, { text: 'b' }])] })).toBe('a\nb')
    expect(asked({ input: 'plain' })).toBe('plain')
    expect(asked({ input: [turn('user', [{ type: 'input_text', text: 'r' }])] })).toBe('r')
    expect(asked({ prompt: 'p' })).toBe('p')
    expect([asked({}), asked({ messages: [] }), asked({ messages: [null] })]).toEqual(['', '', ''])
  })

  test('what functions it offers', () => {
    const parameters = { type: 'object' }
    expect(offeredFunctions({ tools: [{ type: 'function', function: { name: 'f', parameters } }] })).toEqual([
      { name: 'f', parameters },
    ])
    expect(offeredFunctions({ tools: [{ name: 'f', input_schema: parameters }, null, {}] })).toEqual([
      { name: 'f', parameters },
    ])
    expect(offeredFunctions({ tools: 'x' })).toEqual([])
  })
})

test('a whole reply as a stream keeps its tool calls and its usage, and what is none is left alone', async () => {
  const tool = { id: 't', type: 'function', function: { name: 'f', arguments: '{}' } }
  const body = {
    id: 'c',
    choices: [{ message: { role: 'assistant', tool_calls: [tool] }, finish_reason: 'tool_calls' }],
    usage: { total_tokens: 3 },
  }
  const streamed = wholeAsStream(wholeReply(body), { body: { stream_options: { include_usage: true } } }) as ModelReply
  let wire = ''
  for await (const chunk of streamed.body as AsyncIterable<Uint8Array>) wire += Buffer.from(chunk).toString()
  const events = wire
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)))
  expect(events.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, 'tool_calls', undefined])
  expect(events[1].choices[0].delta.tool_calls).toEqual([{ index: 0, ...tool }])
  expect(events[3].usage).toEqual({ total_tokens: 3 })
  expect(wholeAsStream(wholeReply('<html>'), { body: {} })).toBeUndefined()
  expect(wholeAsStream(wholeReply({ choices: [] }), { body: {} })).toBeUndefined()
})
