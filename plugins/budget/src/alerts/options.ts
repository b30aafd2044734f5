import type { Secret } from '@switchyard/contract'
import { z } from 'zod'
import { isFilter } from '../reports/dimensions.ts'
import { signingSecret } from './sign.ts'

/** Where alerts are sent. */
export interface WebhookOptions {
  readonly name: string
  readonly url: string
  readonly secrets: readonly Secret[]
  readonly allow: readonly string[]
}

/** A webhook as it is written. */
export interface WebhookInput {
  readonly name: string
  readonly url: string
  readonly secrets: readonly (string | Secret)[]
  readonly allow?: readonly string[] | undefined
}

export interface AlertOptions {
  readonly log: boolean
  readonly webhooks: readonly WebhookOptions[]
  readonly pollMs: number
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly firstRetryMs: number
  readonly longestRetryMs: number
}

/** Alert options as written: every field may be left out. */
export type AlertInput = { readonly [K in Exclude<keyof AlertOptions, 'webhooks'>]?: AlertOptions[K] | undefined } & {
  readonly webhooks?: readonly WebhookInput[] | undefined
}

export interface AnomalyOptions {
  readonly enabled: boolean
  readonly by: string
  readonly floorUsd: number
  readonly timeZone: string
  readonly everyMs: number
}

const webhook = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32')
    .describe('Names it in the table of deliveries; a new name is a new receiver.'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine(isGuarded, 'https:, or http: to this machine')
    .describe('Gets a POST for each alert.'),
  secrets: z
    .array(signingSecret)
    .min(1)
    .max(3)
    .describe('Each message is signed with every one, so that a receiver can change over.'),
  allow: z
    .array(z.string().min(1))
    .default([])
    .describe('CIDR blocks opened to it on top of the public internet, such as "10.0.0.0/8".'),
})

/** The schema of alert options. */
export const alertOptions: z.ZodType<AlertOptions, AlertInput> = z.strictObject({
  log: z.boolean().default(true).describe('Writes each alert into the log, once over all nodes.'),
  webhooks: z
    .array(webhook)
    .max(16)
    .default([])
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'every webhook needs a name of its own')
    .describe('Receivers of signed messages.'),
  pollMs: z.int().min(100).max(3_600_000).default(5_000).describe('How often deliveries that are due are looked for.'),
  timeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(10_000)
    .describe('A receiver has answered within this, or it has not got it.'),
  maxAttempts: z.int().min(1).max(100).default(12).describe('Attempts before a delivery is given up for dead.'),
  firstRetryMs: z.int().min(100).max(3_600_000).default(5_000).describe('Wait after the first failure; it doubles each time.'),
  longestRetryMs: z.int().min(100).max(86_400_000).default(3_600_000).describe('The longest wait between two attempts.'),
})

/** The schema of the watch for anomalies. */
export const anomalyOptions: z.ZodType<
  AnomalyOptions,
  { readonly [K in keyof AnomalyOptions]?: AnomalyOptions[K] | undefined }
> = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Looks for hours that cost far more than such hours did, and raises an alert an episode.'),
  by: z
    .string()
    .refine(isFilter, 'a dimension of reports, such as key, team, model or tag:project')
    .default('key')
    .describe('What is watched: each value by itself.'),
  floorUsd: z.number().min(0).default(1).describe('USD an hour below which nothing is one.'),
  timeZone: z.string().min(1).default('UTC').describe('IANA time zone of weekdays and hours.'),
  everyMs: z
    .int()
    .min(60_000)
    .max(86_400_000)
    .default(900_000)
    .describe('How often it looks; it reads eight weeks of the ledger once, and two days each time after that.'),
})

/** What is no URL at all is told so by the check before. */
function isGuarded(url: string): boolean {
  if (!URL.canParse(url)) return true
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
