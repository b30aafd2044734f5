import type { ModelReply, ModelRequest } from '@switchyard/contract'
import { parseExact, streamOfWhole } from '@switchyard/model-wire'

type Json = Readonly<Record<string, unknown>>

/** A whole reply of `chat/completions` as the stream that was asked for, all of it at once. Undefined for what is none. */
export function wholeAsStream(reply: ModelReply, { body }: Pick<ModelRequest, 'body'>): ModelReply | undefined {
  if (!(reply.body instanceof Uint8Array)) return undefined
  const whole = parseExact(Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength).toString('utf8'))
  if (whole === undefined || !Array.isArray(whole.choices) || whole.choices.length === 0) return undefined
  const includeUsage = (body.stream_options as Json | null | undefined)?.include_usage === true
  const events = streamOfWhole('chat/completions', whole, { includeUsage })
  if (events === undefined) return undefined
  return {
    ...reply,
    headers: { ...reply.headers, 'content-type': 'text/event-stream' },
    body: once(Buffer.from(events.join(''))),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
