import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chatReplyToMessages, chatToMessages, messagesReplyToChat, messagesToChat } from '../../src/index.ts'

type Json = Record<string, unknown>

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((value) => value.toWellFormed())
const name = fc.stringMatching(/^[a-z]{1,8}$/)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const object = fc.dictionary(name, fc.oneof(fc.integer(), text, fc.boolean()), { maxKeys: 3 })
const schema = fc.record({ type: fc.constant('object'), properties: fc.dictionary(name, fc.constant({ type: 'string' })) })

const textPart = text.map((value): Json => ({ type: 'text', text: value }))
const imagePart = fc
  .oneof(
    name.map((path) => `https://x.test/${path}.png`),
    fc.base64String().map((data) => `data:image/png;base64,${data}`),
  )
  .map((url): Json => ({ type: 'image_url', image_url: { url } }))
const userTurn = fc
  .oneof(
    text,
    fc.array(fc.oneof(textPart, imagePart), { minLength: 2, maxLength: 4 }),
    imagePart.map((part) => [part]),
  )
  .map((content): Json => ({ role: 'user', content }))

/** What an assistant said and called, and the results. */
const exchange = fc
  .record({ said: fc.option(text), calls: fc.uniqueArray(id, { maxLength: 3 }), tool: name, input: object, result: text })
  .filter(({ said, calls }) => said !== null || calls.length > 0)
  .map(({ said, calls, tool, input, result }): Json[] => [
    {
      role: 'assistant',
      content: said,
      ...(calls.length > 0 && {
        tool_calls: calls.map((call) => ({
          id: call,
          type: 'function',
          function: { name: tool, arguments: JSON.stringify(input) },
        })),
      }),
    },
    ...calls.map((tool_call_id) => ({ role: 'tool', tool_call_id, content: result })),
  ])

const tools = fc.uniqueArray(fc.record({ name, description: text, parameters: schema, strict: fc.boolean() }), {
  minLength: 1,
  maxLength: 3,
  selector: (tool) => tool.name,
})
const choice = fc.oneof(
  fc.constantFrom<unknown>('auto', 'required'),
  name.map((picked) => ({ type: 'function', function: { name: picked } })),
)

const chatBody = fc
  .record(
    {
      model: fc.constant('m'),
      max_completion_tokens: fc.integer({ min: 1, max: 100_000 }),
      system: fc.option(text),
      turns: fc.array(fc.tuple(userTurn, exchange), { maxLength: 3 }),
      last: userTurn,
      temperature: fc.double({ min: 0, max: 1, noNaN: true }),
      top_p: fc.double({ min: 0, max: 1, noNaN: true }),
      stop: fc.array(text, { minLength: 1, maxLength: 4 }),
      user: text,
      stream: fc.constant(true),
      tools,
      choice,
      single: fc.boolean(),
      schema,
      reasoning_effort: fc.constantFrom('low', 'medium', 'high', 'xhigh', 'max'),
      service_tier: fc.constant('default'),
    },
    { requiredKeys: ['model', 'max_completion_tokens', 'system', 'turns', 'last', 'choice', 'single'] },
  )
  .map(
    ({ system, turns, last, tools: made, choice: picked, single, schema: wanted, ...rest }): Json => ({
      ...rest,
      messages: [
        ...(typeof system === 'string' ? [{ role: 'system', content: system }] : []),
        ...turns.flatMap(([user, answers]) => [user, ...answers]),
        last,
      ],
      ...(rest.stream !== undefined && { stream_options: { include_usage: true } }),
      ...(made !== undefined && {
        tools: made.map((tool) => ({ type: 'function', function: tool })),
        tool_choice: picked,
        ...(single && { parallel_tool_calls: false }),
      }),
      ...(wanted !== undefined && {
        response_format: { type: 'json_schema', json_schema: { name: 'response', schema: wanted, strict: true } },
      }),
    }),
  )

test('a chat request means the same after messages and back, and nothing of it is left out', () => {
  fc.assert(
    fc.property(chatBody, (body) => {
      const noted: string[] = []
      const note = (param: string): void => void noted.push(param)
      expect(messagesToChat(chatToMessages(body, { note }), { note })).toEqual(body)
      expect(noted).toEqual([])
    }),
    { numRuns: 300 },
  )
})

const count = fc.nat(1_000_000)
const messagesReply = fc
  .record({
    said: fc.option(text),
    thought: fc.option(text),
    calls: fc.array(fc.record({ id, name, input: object }), { maxLength: 3 }),
    reason: fc.constantFrom('end_turn', 'max_tokens', 'refusal'),
    counts: fc.tuple(count, count, count, fc.integer({ min: 1, max: 1_000_000 })),
  })
  .map(
    ({ said, thought, calls, reason, counts }): Json => ({
      id: 'msg_1',
      model: 'm',
      content: [
        ...(thought === null ? [] : [{ type: 'thinking', thinking: thought, signature: '' }]),
        ...(said === null ? [] : [{ type: 'text', text: said, citations: null }]),
        ...calls.map((call) => ({ type: 'tool_use', ...call, caller: { type: 'direct' } })),
      ],
      stop_reason: calls.length > 0 && reason === 'end_turn' ? 'tool_use' : reason,
      stop_sequence: null,
      usage: {
        input_tokens: counts[0],
        cache_read_input_tokens: counts[1],
        cache_creation_input_tokens: counts[2],
        output_tokens: counts[3],
      },
    }),
  )

test('a messages reply means the same after chat and back', () => {
  fc.assert(
    fc.property(messagesReply, (reply) => {
      expect(chatReplyToMessages(messagesReplyToChat(reply, { created: 5 }))).toMatchObject(reply)
    }),
    { numRuns: 300 },
  )
})
