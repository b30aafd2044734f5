import { request } from 'undici'

/** What a client saw of one request. */
export type Seen =
  | 'ok'
  | 'error-status'
  | 'error-event-mid-stream'
  /** The connection broke: HTTP itself says that the reply is not whole. */
  | 'connection-cut'
  /** The reply looks finished and is not: the one thing that must not be. */
  | 'silent-truncation'
  /** Nothing more came within the limit. */
  | 'hung'

export interface Sight {
  readonly seen: Seen
  /** Status, and the error's code where there is one. */
  readonly detail: string
}

export interface ClientRequest {
  readonly url: string
  readonly model: string
  readonly stream: boolean
  readonly limitMs: number
}

/** Sends one chat request as a plain HTTP client and says what came. */
export async function observe({ url, model, stream, limitMs }: ClientRequest): Promise<Sight> {
  const signal = AbortSignal.timeout(limitMs)
  try {
    const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello' }] })
    const reply = await request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal })
    const text = await reply.body.text()
    if (reply.statusCode >= 400)
      return { seen: 'error-status', detail: `${reply.statusCode} ${errorOf(text) ?? '(no error body)'}` }
    return stream ? judgeStream(text) : judgeWhole(text)
  } catch (error) {
    if (signal.aborted) return { seen: 'hung', detail: `after ${limitMs} ms` }
    return { seen: 'connection-cut', detail: (error as Error).message }
  }
}

/** `[DONE]` last and every event whole, or an error event; all else only looks finished. Any line end of the SSE standard counts, and blank lines more. */
export function judgeStream(text: string): Sight {
  const events = text
    .replace(/\r\n?/g, '\n')
    .split(/\n\n+/)
    .filter((event) => event.startsWith('data: '))
  const error = events.map((event) => errorOf(event.slice(6))).find((code) => code !== undefined)
  if (error !== undefined) return { seen: 'error-event-mid-stream', detail: error }
  return events.at(-1) === 'data: [DONE]'
    ? { seen: 'ok', detail: '[DONE]' }
    : { seen: 'silent-truncation', detail: 'ended without [DONE]' }
}

/** A JSON object with choices; anything else in a 2xx only looks like an answer. */
export function judgeWhole(text: string): Sight {
  try {
    if (Array.isArray((JSON.parse(text) as { choices?: unknown }).choices)) return { seen: 'ok', detail: '200' }
  } catch {
    // told below
  }
  return { seen: 'silent-truncation', detail: `a 2xx without an answer: ${text.slice(0, 40)}` }
}

function errorOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string | null; type?: string } }
    return error === undefined ? undefined : String(error.code ?? error.type ?? 'error')
  } catch {
    return undefined
  }
}
