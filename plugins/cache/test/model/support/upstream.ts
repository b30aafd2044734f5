import { type ModelEndpoint, type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { relayStream, relayWhole } from '@switchyard/model-wire'
import type { FakeUpstream } from '@switchyard/testkit'

export const ENDPOINTS: readonly ['chat/completions', 'completions', 'responses', 'messages'] = [
  'chat/completions',
  'completions',
  'responses',
  'messages',
]

type Draft = Record<string, unknown>

/** A question in the words of each endpoint. */
export function questionFor(endpoint: ModelEndpoint, more: Draft = {}): Draft {
  const messages = [{ role: 'user', content: 'What is a depot?' }]
  switch (endpoint) {
    case 'completions':
      return { model: 'gpt-fake', prompt: 'Once', ...more }
    case 'responses':
      return { model: 'gpt-fake', input: 'What is a depot?', store: false, ...more }
    case 'messages':
      return { model: 'gpt-fake', max_tokens: 100, messages, ...more }
    default:
      return { model: 'gpt-fake', messages, ...more }
  }
}

/** Asks the upstream over a real connection, as a provider does. */
export async function ask(
  upstream: FakeUpstream,
  endpoint: ModelEndpoint,
  body: Draft,
  signal?: AbortSignal,
): Promise<ModelReply> {
  const request: ModelRequest = { endpoint, model: 'gpt-fake', body, stream: body.stream === true }
  const response = await fetch(`${upstream.url}/${endpoint}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const headers = Object.fromEntries(response.headers)
  if (!response.ok) throw new SwitchyardError('UPSTREAM_INVALID', `status ${response.status}`)
  const options = { plugin: 'fake', request, ...(signal && { signal }) }
  if (!request.stream)
    return relayWhole({ status: response.status, headers }, new Uint8Array(await response.arrayBuffer()), options)
  const stream = response.body as ReadableStream<Uint8Array>
  const body_ = Object.assign(read(stream), { destroy() {} })
  return relayStream({ status: response.status, headers, body: body_ }, options)
}

async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk
}

/** All of a reply as text. */
export async function textOf({ body }: ModelReply): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString()
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export async function allOf(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const frame of frames) all.push(frame)
  return all
}
