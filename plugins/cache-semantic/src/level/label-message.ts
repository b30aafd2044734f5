import { z } from 'zod'
import { FEATURES } from '../policy/features.ts'
import type { Label } from '../policy/label.ts'

/** A label as nodes tell each other: no text of anybody's. */
export interface LabelMessage {
  /** The sender. */
  readonly node: string
  readonly population: string
  /** Features of one encoder say nothing of another. */
  readonly encoder: string
  readonly group: string
  readonly label: Label
}

/** Larger ones are not read. */
const MAX_BYTES = 262_144
/** Version of the messages: others are not read. */
const VERSION = 1

const name = z.string().min(1).max(2_000)
const terms = z.array(z.int32()).max(20_000)

// Lenient: a later release may add fields.
const message = z.object({
  v: z.literal(VERSION),
  node: name,
  population: name,
  encoder: name,
  group: name,
  right: z.boolean(),
  audit: z.boolean(),
  weight: z.number().min(1).max(1e6),
  p: z.number().min(0).max(1).optional(),
  features: z.array(z.number()).length(FEATURES.length),
  asked: terms,
  stored: terms,
})

/** A message as bytes. */
export function encodeLabel({ node, population, encoder, group, label }: LabelMessage): Uint8Array {
  const { right, audit, weight, probability: p, features, asked, stored } = label
  const said = { v: VERSION, node, population, encoder, group, right, audit, weight, p, features: [...features] }
  return new TextEncoder().encode(JSON.stringify({ ...said, asked: [...asked.terms], stored: [...stored.terms] }))
}

/** What the bytes say; undefined where they are no message of this version. */
export function decodeLabel(bytes: Uint8Array): LabelMessage | undefined {
  if (bytes.byteLength > MAX_BYTES) return undefined
  let said: z.infer<typeof message> | undefined
  try {
    said = message.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).data
  } catch {
    return undefined
  }
  if (said === undefined) return undefined
  const { node, population, encoder, group, right, audit, weight, p, features, asked, stored } = said
  const label = {
    right,
    audit,
    weight,
    probability: p,
    features: Float64Array.from(features),
    asked: { terms: Int32Array.from(asked) },
    stored: { terms: Int32Array.from(stored) },
  }
  return { node, population, encoder, group, label }
}
