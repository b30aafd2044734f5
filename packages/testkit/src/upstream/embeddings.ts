import { type Fault, find } from './faults.ts'
import { type WireReply, wholeReply } from './wire-reply.ts'

/** Dimensions of every vector. */
const DIMENSIONS = 4

/**
 * Answers `POST /v1/embeddings`: one vector for each string (or list of tokens) of `input`, the same for the same input, as floats
 * or, where `encoding_format` asks, base64 of little-endian float32.
 */
export function embeddingsReply(model: string, body: Readonly<Record<string, unknown>>, faults: readonly Fault[]): WireReply {
  const { input } = body
  const list: readonly unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]
  const inputs = Array.isArray(input) && input.length === 0 ? [] : list
  const data = inputs.map((item, index) => {
    const vector = vectorOf(typeof item === 'string' ? item : JSON.stringify(item))
    const embedding =
      body.encoding_format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector
    return { object: 'embedding', index, embedding }
  })
  const flaw = find(faults, 'usage')?.flaw
  const tokens = flaw === 'negative' ? -1 : inputs.length * 5
  const usage = { prompt_tokens: tokens, total_tokens: tokens + (flaw === 'inconsistent' ? 4 : 0) }
  return wholeReply(JSON.stringify({ object: 'list', data, model, ...(flaw === 'absent' ? {} : { usage }) }))
}

function vectorOf(text: string): readonly number[] {
  let hash = 2_166_136_261
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0
  return Array.from({ length: DIMENSIONS }, (_, axis) => ((hash >>> (axis * 8)) & 0xff) / 128 - 1)
}
