import { expect, test } from 'vitest'
import { chatToMessages, messagesToChat, responsesToChat } from '../../src/index.ts'

type Json = Record<string, unknown>

const schema = { type: 'object', properties: {} }

/** Values that are the user's own, whatever is in them. */
const FREE: ReadonlySet<string> = new Set(['schema', 'input_schema', 'parameters'])

const messages: Json = {
  model: 'm',
  max_tokens: 5,
  system: [{ type: 'text', text: 's' }],
  metadata: { user_id: 'u' },
  thinking: { type: 'adaptive' },
  output_config: { effort: 'low', format: { type: 'json_schema', schema } },
  tools: [{ name: 'f', input_schema: schema }],
  tool_choice: { type: 'tool', name: 'f' },
  messages: [
    { role: 'system', content: [{ type: 'text', text: 's' }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image', source: { type: 'url', url: 'u' } },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
        { type: 'document', source: { type: 'text', data: 'x' }, citations: { enabled: false } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 't', signature: '' },
        { type: 'redacted_thinking', data: 'x' },
        { type: 'text', text: 'a' },
        { type: 'tool_use', id: 'i', name: 'f', input: {}, caller: { type: 'direct' } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'i', content: [{ type: 'text', text: 'r' }] }] },
  ],
}

const responses: Json = {
  model: 'm',
  text: { format: { type: 'json_schema', name: 'n', schema } },
  reasoning: { effort: 'low' },
  tools: [{ type: 'function', name: 'f', parameters: schema }],
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
  input: [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: 'u' },
        { type: 'input_file', file_data: 'data:application/pdf;base64,AA' },
      ],
    },
    { type: 'reasoning', id: 'r', content: [{ type: 'reasoning_text', text: 't' }] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', caller: { type: 'direct' } },
    { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'r' }], caller: { type: 'direct' } },
    { role: 'developer', content: [{ type: 'input_text', text: 'a' }] },
  ],
}

const chat: Json = {
  model: 'm',
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
  stream_options: { include_usage: true },
  tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
  tool_choice: { type: 'function', function: { name: 'f' } },
  messages: [
    { role: 'system', content: [{ type: 'text', text: 's' }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'u' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,AA' } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'a' },
        { type: 'refusal', refusal: 'r' },
      ],
      tool_calls: [{ id: 'i', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'i', content: [{ type: 'text', text: 'r' }] },
    { role: 'user', content: 'a' },
  ],
}

/** Paths of all objects in a body but those that are the user's own. */
function objectPaths(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return value.flatMap((member, index) => objectPaths(member, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  const members = Object.entries(value).filter(([name]) => !FREE.has(name))
  const inner = members.flatMap(([name, member]) => (isFree(value as Json, name) ? [] : objectPaths(member, [...path, name])))
  return [path, ...inner]
}

/** A tool's input is the user's own; a request's is not. */
function isFree(owner: Json, name: string): boolean {
  return name === 'input' && owner.type === 'tool_use'
}

function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? key : `${text}.${key}`
  }, '')
}

const cases = (
  [
    ['messages', messages, messagesToChat],
    ['responses', responses, responsesToChat],
    ['chat', chat, chatToMessages],
  ] as const
).flatMap(([dialect, body, translate]) =>
  objectPaths(body).map((path) => ({ dialect, body, translate, path, at: pathText(path) })),
)

test('the bodies are carried as they stand', () => {
  expect(cases.length).toBeGreaterThan(60)
  for (const { body, translate } of cases) expect(() => translate(body)).not.toThrow()
})

test.each(cases)('a field that nobody knows is refused by name in $dialect at "$at"', ({ body, translate, path, at }) => {
  const changed = structuredClone(body)
  let owner: Json = changed
  for (const key of path) owner = owner[key] as Json
  owner.brand_new = 1
  const param = at === '' ? 'brand_new' : `${at}.brand_new`
  expect(() => translate(changed)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', details: { param } }))
})
