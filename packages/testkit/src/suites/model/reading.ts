import assert from 'node:assert/strict'
import type { ModelReply } from '@switchyard/contract'
import { within } from './asking.ts'

/** What came of a stream that was read as far as it went. */
export interface Reading {
  readonly chunks: readonly Uint8Array[]
  /** What iteration rejected with; undefined where it ended. */
  readonly error: unknown
}

/** Iterates a stream to its end, whatever that is. */
export async function readAll(reply: ModelReply, limitMs = 8000): Promise<Reading> {
  const { body } = reply
  assert.ok(!(body instanceof Uint8Array), 'a request with stream: true must be answered with a stream')
  const chunks: Uint8Array[] = []
  const iterate = async (): Promise<Reading> => {
    try {
      for await (const chunk of body) chunks.push(chunk)
      return { chunks, error: undefined }
    } catch (error) {
      return { chunks, error: error ?? new Error('iteration rejected with nothing') }
    }
  }
  return within(limitMs, 'reading the stream', iterate())
}

/** Reads a stream that must end without an error. */
export async function readWell(reply: ModelReply): Promise<Reading> {
  const reading = await readAll(reply)
  if (reading.error !== undefined) throw reading.error
  return reading
}

/** The data of each event in a chunk; fails where the chunk begins or ends inside an event or a character. */
export function eventsOf(chunk: Uint8Array): readonly string[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(chunk).replace(/\r\n?/g, '\n')
  const blocks = text.split('\n\n')
  const rest = blocks.pop() ?? ''
  assert.equal(
    rest.replaceAll('\n', ''),
    '',
    `a chunk must hold whole events, but ends inside one: ${JSON.stringify(text.slice(-120))}`,
  )
  const data: string[] = []
  for (const block of blocks) {
    const lines = block.split('\n').filter((line) => line !== '')
    for (const line of lines) {
      assert.match(
        line,
        /^(:|data|event|id|retry)/,
        `a chunk must hold whole events, but begins inside one: ${JSON.stringify(line.slice(0, 120))}`,
      )
    }
    const values = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''))
    if (values.length > 0) data.push(values.join('\n'))
  }
  return data
}

/** The data of every event, chunk by chunk. */
export function dataOf(reading: Reading): readonly string[] {
  return reading.chunks.flatMap(eventsOf)
}

/** A chat chunk, as far as the suite looks into it. */
export interface ChatChunk {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null
      readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[]
    }
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly prompt_tokens?: number } | null
}

/** The chat chunks among the events, without `[DONE]`. */
export function chunksOf(data: readonly string[]): readonly ChatChunk[] {
  return data.filter((text) => text !== '[DONE]').map((text) => JSON.parse(text) as ChatChunk)
}

/** The text that a stream's content adds up to. */
export function textOf(reading: Reading): string {
  return chunksOf(dataOf(reading))
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('')
}

/** Whether a chunk is the extra last one that holds nothing but usage. */
export function isUsageChunk({ choices, usage }: ChatChunk): boolean {
  return choices?.length === 0 && usage != null
}
