import { createSseFramer } from './framer.ts'

export interface SseEvent {
  /** `message` where the stream names none. */
  readonly event: string
  /** Lines of `data`, joined by LF. */
  readonly data: string
  /** The last id that the stream gave so far. */
  readonly id?: string
  /** Reconnection time in ms, where this event set it. */
  readonly retry?: number
}

export interface SseDecoder {
  /** The events that this chunk completes. Throws `UPSTREAM_INVALID` for an event above the limit. */
  push(chunk: Uint8Array): readonly SseEvent[]
  /** An unfinished event at the end of the stream is dropped, as the standard says. */
  end(): readonly SseEvent[]
}

const BOM = 0xfeff

/** Decodes server-sent events incrementally: any chunking, CR, LF and CRLF, comments, multi-line data, a byte order mark. */
export function createSseDecoder(options: { readonly maxEventBytes?: number } = {}): SseDecoder {
  const framer = createSseFramer(options)
  let first = true
  let lastId: string | undefined

  function decode(text: string): SseEvent | undefined {
    const fields = parseFields(first && text.charCodeAt(0) === BOM ? text.slice(1) : text)
    first = false
    if (fields.id !== undefined) lastId = fields.id
    if (fields.data === undefined) return undefined
    return {
      event: fields.event || 'message',
      data: fields.data,
      ...(lastId !== undefined && { id: lastId }),
      ...(fields.retry !== undefined && { retry: fields.retry }),
    }
  }

  return {
    push(chunk) {
      const frames = framer.push(chunk)
      if (frames === undefined) return []
      const bytes = Buffer.from(frames.bytes.buffer, frames.bytes.byteOffset, frames.bytes.byteLength)
      const events: SseEvent[] = []
      let start = 0
      for (const end of frames.ends) {
        const event = decode(bytes.toString('utf8', start, end))
        if (event !== undefined) events.push(event)
        start = end
      }
      return events
    },
    end: () => [],
  }
}

interface Fields {
  readonly event?: string
  readonly data?: string
  readonly id?: string
  readonly retry?: number
  /** Whether any line was a field of the standard or a comment. */
  readonly known: boolean
}

/** The fields of one event's text; `data` is undefined where it has none. */
export function parseFields(text: string): Fields {
  const fields: { event?: string; data?: string; id?: string; retry?: number; known: boolean } = { known: false }
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon === 0) {
      fields.known = true
      continue
    }
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
    if (name === 'data') fields.data = fields.data === undefined ? value : `${fields.data}\n${value}`
    else if (name === 'event') fields.event = value
    else if (name === 'id') {
      if (!value.includes('\0')) fields.id = value
    } else if (name === 'retry') {
      if (/^\d+$/.test(value)) fields.retry = Number(value)
    } else continue
    fields.known = true
  }
  return fields
}

/** One event on the wire, LF line ends. */
export function encodeSseEvent(event: { readonly data: string; readonly event?: string; readonly id?: string }): Uint8Array {
  const lines = event.data.split(/\r\n|\n|\r/).map((line) => `data: ${line}\n`)
  if (event.id !== undefined) lines.unshift(`id: ${event.id}\n`)
  if (event.event !== undefined && event.event !== 'message') lines.unshift(`event: ${event.event}\n`)
  return Buffer.from(`${lines.join('')}\n`)
}
