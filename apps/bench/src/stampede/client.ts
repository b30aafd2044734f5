import type { Pool } from 'undici'
import { KEY } from './nodes.ts'

/** What one client got. */
export interface Got {
  /** Milliseconds from its sending to its first content token. */
  readonly firstTokenMs: number
  readonly status: number
  /** `miss`, a level, or `bypass`. */
  readonly cache: string
  readonly body: string
}

/** Asks for a stream and reads it to its end. */
export async function askStream(pool: Pool, question: string): Promise<Got> {
  const startedAt = performance.now()
  const { statusCode, headers, body } = await pool.request({
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({
      model: 'fake/gpt-fake',
      messages: [{ role: 'user', content: question }],
      temperature: 0,
      stream: true,
    }),
  })
  let text = ''
  let firstTokenMs = Number.NaN
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk as Buffer, { stream: true })
    if (Number.isNaN(firstTokenMs) && text.includes('token0')) firstTokenMs = performance.now() - startedAt
  }
  const cache = String(headers['x-switchyard-cache-level'] ?? headers['x-switchyard-cache'] ?? 'off')
  return { firstTokenMs, status: statusCode, cache, body: text }
}
