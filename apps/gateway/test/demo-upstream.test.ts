import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoUpstream, startDemoUpstream } from '../src/demo/demo-upstream.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a client would, untyped
type Answer = any

let demo: DemoUpstream
beforeAll(async () => {
  demo = await startDemoUpstream({ tokenDelayMs: 0 })
})
afterAll(() => demo.close())

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${demo.baseUrl}${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
}

test('a chat answer is labelled and gives the question back', async () => {
  const reply = (await (
    await post('/chat/completions', { model: 'chat', messages: [{ role: 'user', content: 'two words' }] })
  ).json()) as Answer
  expect(reply.choices[0].message.content).toMatch(/^\[simulated\].*two words$/)
  expect(reply.system_fingerprint).toBe('simulated')
  expect(reply.usage.total_tokens).toBe(reply.usage.prompt_tokens + reply.usage.completion_tokens)
})

test('a stream says the same in events, with usage when asked, and ends with [DONE]', async () => {
  const reply = await post('/chat/completions', {
    model: 'chat',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'parts' }] }],
  })
  const events = (await reply.text()).trim().split('\n\n')
  expect(events.at(-1)).toBe('data: [DONE]')
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)))
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toMatch(/^\[simulated\].*parts$/)
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } })
})

test('equal texts have equal vectors of length 1, and base64 holds the same floats', async () => {
  const plain = (await (await post('/embeddings', { model: 'embed', input: ['a text', 'a text', 'another'] })).json()) as Answer
  const [first, second, third] = plain.data.map((row: { embedding: number[] }) => row.embedding)
  expect(first).toEqual(second)
  expect(first).not.toEqual(third)
  expect(Math.hypot(...first)).toBeCloseTo(1)
  const coded = (await (
    await post('/embeddings', { model: 'embed', input: 'a text', encoding_format: 'base64' })
  ).json()) as Answer
  const floats = new Float32Array(Uint8Array.from(Buffer.from(coded.data[0].embedding, 'base64')).buffer)
  expect(floats[0]).toBeCloseTo(first[0])
})

test.each([
  ['/chat/completions', { model: 'nope', messages: [] }, 404],
  ['/chat/completions', { model: 'chat' }, 400],
  ['/chat/completions', 'not json', 400],
  ['/nowhere', { model: 'chat' }, 404],
])('%s %j is refused with %i in the dialect', async (path, body, status) => {
  const reply = await post(path, body)
  expect(reply.status).toBe(status)
  expect(((await reply.json()) as Answer).error.message).toMatch(/^\[simulated\]/)
})
