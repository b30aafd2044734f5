import { expect, test } from 'vitest'
import { isWholeReason, saidIn } from '../../src/index.ts'

const chat = (message: unknown): unknown => ({ choices: [{ message }] })
const item = (...content: unknown[]): unknown => ({ output: [{ type: 'message', content }] })

test.each<[string, unknown, unknown]>([
  ['a chat', chat({ content: 'a' }), { text: 'a', calls: [] }],
  ['a completion', { choices: [{ text: 'a' }] }, { text: 'a', calls: [] }],
  [
    'a message',
    {
      content: [
        { type: 'thinking', thinking: 'x' },
        { type: 'text', text: 'a' },
        null,
        { type: 'text', text: 5 },
        { type: 'text', text: 'b' },
      ],
    },
    { text: 'ab', calls: [] },
  ],
  [
    'a response',
    { output: [{ type: 'reasoning' }, { type: 'message', content: [{ type: 'output_text', text: 'a' }] }] },
    { text: 'a', calls: [] },
  ],
  [
    'calls of a chat',
    chat({ content: null, tool_calls: [{ function: { name: 'f', arguments: '{}' } }, null, { function: 5 }] }),
    {
      text: '',
      calls: [
        { name: 'f', arguments: '{}' },
        { name: undefined, arguments: undefined },
        { name: undefined, arguments: undefined },
      ],
    },
  ],
  [
    'calls of a message',
    { content: [{ type: 'tool_use', name: 'f', input: { a: 1 } }] },
    { text: '', calls: [{ name: 'f', arguments: { a: 1 } }] },
  ],
  [
    'calls of a response',
    { output: [{ type: 'function_call', name: 'f', arguments: '{}' }] },
    { text: '', calls: [{ name: 'f', arguments: '{}' }] },
  ],
])('says what %s says', (_, body, said) => expect(saidIn(body)).toEqual(said))

test.each<[string, unknown]>([
  ['null', null],
  ['a list', []],
  ['an empty object', {}],
  ['no choice', { choices: [] }],
  ['two choices', { choices: [{ text: 'a' }, { text: 'b' }] }],
  ['a choice that is none', { choices: [null] }],
  ['a choice that says nothing', { choices: [{}] }],
  ['a refusal in a chat', chat({ content: 'a', refusal: 'no' })],
  ['a refusal in a response', item({ type: 'refusal', refusal: 'no' })],
  ['an item without content', { output: [{ type: 'message' }] }],
])('says nothing of %s', (_, body) => expect(saidIn(body)).toBeUndefined())

test('reasons of answers that are all there', () => {
  expect(['stop', 'end_turn', 'completed', 'tool_use'].every(isWholeReason)).toBe(true)
  expect(['length', 'content_filter', 'pause_turn', ''].some(isWholeReason)).toBe(false)
})
