import { createHmac } from 'node:crypto'
import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'

const PREFIX = 'whsec_'
/** As Standard Webhooks has it. */
const LEAST_BYTES = 24
const MOST_BYTES = 64
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The schema of a signing secret: `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes them. */
export const signingSecret: z.ZodType<Secret, string | Secret> = z
  .union([z.string(), z.custom<Secret>(isSecret)], 'must be a string or a Secret')
  .transform((value) => secret(value))
  .refine(
    (value) => isKey(value.reveal()),
    'a secret is whsec_ and 24 to 64 random bytes in base64: make one with `openssl rand -base64 32`',
  )

/**
 * The headers of a message (Standard Webhooks 1.0): its id, when it was sent (epoch seconds), and HMAC-SHA256 over id, time and body, once
 * with each secret, so that a receiver may change its own in between.
 */
export function signedHeaders(
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
  secrets: readonly Secret[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000))
  const signatures = secrets.map((one) => {
    const key = Buffer.from(one.reveal().slice(PREFIX.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

function isKey(text: string): boolean {
  if (!text.startsWith(PREFIX) || !BASE64.test(text.slice(PREFIX.length))) return false
  const { length } = Buffer.from(text.slice(PREFIX.length), 'base64')
  return length >= LEAST_BYTES && length <= MOST_BYTES
}
