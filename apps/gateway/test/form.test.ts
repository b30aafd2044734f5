import type { ModelRequest } from '@switchyard/contract'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

type Body = NonNullable<RequestInit['body']>

let seen: ModelRequest[] = []
let gateway: TestGateway
beforeAll(async () => {
  const first = stubProvider({
    name: 'first',
    endpoints: ['audio/transcriptions', 'chat/completions'],
    invoke: async (request) => {
      seen.push(request)
      return wholeReply({})
    },
  })
  gateway = await testGateway([first])
})
afterEach(() => {
  seen = []
})
afterAll(() => gateway?.close())

const post = (path: string, body: Body, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}/v1/${path}`, { method: 'POST', headers, body })

const form = (fields: Record<string, string>): FormData => {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  data.append('file', new Blob([new Uint8Array([0, 255, 13, 10, 0])]), 'a.wav')
  return data
}

test.each<[string, Body, Record<string, string>]>([
  ['without a model', form({ language: 'en' }), {}],
  [
    'that is cut off',
    '--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nfirst/a',
    { 'content-type': 'multipart/form-data; boundary=x' },
  ],
  ['without a boundary', '--x--', { 'content-type': 'multipart/form-data; charset=utf-8' }],
])('a form %s is refused', async (_, body, headers) => {
  const reply = await post('audio/transcriptions', body, headers)
  expect([reply.status, await reply.json()]).toMatchObject([400, { error: { type: 'invalid_request_error' } }])
  expect(seen).toEqual([])
})

test('a form is no body for other endpoints', async () => {
  expect((await post('chat/completions', form({ model: 'first/a' }))).status).toBe(400)
})

test('a form keeps its bytes and its boundary; the model and the stream are read from it', async () => {
  expect((await post('audio/transcriptions', form({ model: 'first/whisper', stream: 'true' }))).status).toBe(200)
  const [request] = seen
  expect(request).toMatchObject({ model: 'first/whisper', stream: true, body: { model: 'first/whisper', stream: 'true' } })
  const boundary = /boundary=(.+)$/.exec(request?.headers?.['content-type'] ?? '')?.[1]
  const raw = Buffer.from(request?.raw ?? [])
  expect(raw.toString('latin1').startsWith(`--${boundary}\r\n`)).toBe(true)
  expect(raw.includes(Buffer.from([0, 255, 13, 10, 0]))).toBe(true)
})
