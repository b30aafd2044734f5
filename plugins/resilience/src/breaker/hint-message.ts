import { z } from 'zod'

/** What a node tells others of one of its breakers. A later `version` of a node replaces. */
export interface HintMessage {
  readonly node: string
  readonly version: number
  readonly operation: string
  readonly deployment: string
  /** How long the breaker stays open; 0 = it closed. */
  readonly forMs: number
}

/** Larger ones are not read. */
const MAX_BYTES = 8_192
/** Version of the messages: others are not read, so that nodes of two releases may run side by side. */
const VERSION = 1

// Lenient: a later release may add fields.
const message = z.object({
  v: z.literal(VERSION),
  node: z.string().min(1).max(200),
  version: z.number(),
  operation: z.string().min(1).max(200),
  deployment: z.string().min(1).max(2_000),
  forMs: z.number().min(0),
})

/** A message as bytes. */
export function encodeHint(hint: HintMessage): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: VERSION, ...hint }))
}

/** What the bytes say; undefined where they are no message of this version. */
export function decodeHint(bytes: Uint8Array): HintMessage | undefined {
  if (bytes.byteLength > MAX_BYTES) return undefined
  try {
    return message.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).data
  } catch {
    return undefined
  }
}
