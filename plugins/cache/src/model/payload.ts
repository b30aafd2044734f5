import type { ModelEnding, ModelEndpoint } from '@switchyard/contract'

/** What is stored of a reply beside its body. */
export interface PayloadHead {
  readonly endpoint: ModelEndpoint
  readonly headers: Readonly<Record<string, string>>
  readonly ending: ModelEnding
  /** Lengths of the pieces that its text came in; absent where it came whole. */
  readonly pieces?: readonly number[] | undefined
  /** It ended before it was said to the end: no other words may be answered with it. */
  readonly cut?: true | undefined
}

const VERSION = 1
/** A byte for the version and four for the length of the head. */
const FRONT = 5

/** A reply as it is stored: the version, the head's length, the head as JSON, the body whole in its endpoint's dialect. */
export function encodePayload(head: PayloadHead, body: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(head))
  const front = Buffer.alloc(FRONT)
  front[0] = VERSION
  front.writeUInt32BE(text.byteLength, 1)
  return Buffer.concat([front, text, body])
}

/** Throws TypeError for what `encodePayload` of this version did not make. */
export function decodePayload(payload: Uint8Array): { readonly head: PayloadHead; readonly body: Uint8Array } {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  if (bytes.byteLength < FRONT || bytes[0] !== VERSION) throw new TypeError('cache: not a stored reply of this version')
  const end = FRONT + bytes.readUInt32BE(1)
  if (end > bytes.byteLength) throw new TypeError('cache: a stored reply is cut')
  const head = JSON.parse(bytes.toString('utf8', FRONT, end)) as Partial<PayloadHead> | null
  if (typeof head?.endpoint !== 'string' || typeof head.headers !== 'object' || typeof head.ending?.outcome !== 'string')
    throw new TypeError('cache: not a stored reply')
  return { head: head as PayloadHead, body: bytes.subarray(end) }
}
