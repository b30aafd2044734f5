import type { ModelReply, ModelRequest } from '@switchyard/contract'

type Json = Readonly<Record<string, unknown>>

/** A whole reply of `chat/completions` as the stream that was asked for: one chunk with all of it. Undefined for what is none. */
export function wholeAsStream(reply: ModelReply, { body }: Pick<ModelRequest, 'body'>): ModelReply | undefined {
  if (!(reply.body instanceof Uint8Array)) return undefined
  let whole: Json
  try {
    whole = JSON.parse(Buffer.from(reply.body).toString('utf8')) as Json
  } catch {
    return undefined
  }
  const choice = (whole.choices as readonly Json[] | undefined)?.[0]
  const message = choice?.message as Json | undefined
  if (message === undefined) return undefined
  const calls = Array.isArray(message.tool_calls)
    ? (message.tool_calls as Json[]).map((call, index) => ({ index, ...call }))
    : undefined
  const delta = { ...message, ...(calls !== undefined && { tool_calls: calls }) }
  const chunk = { id: whole.id, object: 'chat.completion.chunk', created: whole.created, model: whole.model }
  const events: unknown[] = [
    { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: choice?.finish_reason ?? 'stop' }] },
  ]
  if ((body.stream_options as Json | undefined)?.include_usage === true && whole.usage !== undefined)
    events.push({ ...chunk, choices: [], usage: whole.usage })
  const text = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
  return {
    ...reply,
    headers: { ...reply.headers, 'content-type': 'text/event-stream' },
    body: once(Buffer.from(text)),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
