import { z } from 'zod'

/** What nodes tell each other. `node` is the sender. */
export type Message =
  /** A wish to hear what persons decided, from a node that has just come. */
  | { readonly kind: 'ask'; readonly node: string }
  /** What the sender sees of a deployment: lowers its weight elsewhere for `forMs`. A later `version` of a node replaces. */
  | {
      readonly kind: 'hint'
      readonly node: string
      readonly version: number
      readonly deployment: string
      readonly weight: number
      readonly forMs: number
    }
  /** What a person decided, wherever that was: `at` and `origin` say which of two is the newer. */
  | {
      readonly kind: 'verdict'
      readonly node: string
      readonly deployment: string
      readonly disabled: boolean
      readonly by: string
      readonly reason: string
      readonly at: number
      readonly origin: string
    }

/** Larger ones are not read. */
const MAX_BYTES = 16_384

/** Version of the messages: others are not read, so that nodes of two releases may run side by side. */
const VERSION = 1

const node = z.string().min(1).max(100)
const deployment = z.string().min(1).max(2_000)
const text = z.string().min(1).max(2_000)

// Lenient: a later release may add fields.
const message: z.ZodType<Message & { readonly v: number }> = z.discriminatedUnion('kind', [
  z.object({ v: z.literal(VERSION), kind: z.literal('ask'), node }),
  z.object({
    v: z.literal(VERSION),
    kind: z.literal('hint'),
    node,
    version: z.number(),
    deployment,
    weight: z.number().min(0).max(1),
    forMs: z.number().min(0),
  }),
  z.object({
    v: z.literal(VERSION),
    kind: z.literal('verdict'),
    node,
    deployment,
    disabled: z.boolean(),
    by: text,
    reason: text,
    at: z.number(),
    origin: node,
  }),
])

/** A message as bytes. */
export function encodeMessage(given: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: VERSION, ...given }))
}

/** What the bytes say; undefined where they are no message of this version. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.byteLength > MAX_BYTES) return undefined
  try {
    return message.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).data
  } catch {
    return undefined
  }
}
