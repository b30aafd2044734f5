import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'

/** What `openai({ ... })` takes; README has the defaults. */
export interface OpenAiInput {
  readonly provider?: string | undefined
  readonly baseUrl?: string | undefined
  readonly apiKey?: string | Secret | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly models?: readonly string[] | undefined
  readonly modelNames?: Readonly<Record<string, string>> | undefined
  readonly includeUsage?: boolean | undefined
  readonly terminator?: 'done' | 'finish-reason' | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly headersTimeoutMs?: number | undefined
  readonly streamIdleTimeoutMs?: number | undefined
  readonly totalTimeoutMs?: number | undefined
  readonly maxConnections?: number | undefined
  readonly egress?: { readonly allow?: readonly string[] | undefined } | undefined
}

/** Options as validated. */
export interface OpenAiOptions {
  readonly provider: string
  readonly baseUrl: string
  readonly apiKey?: Secret | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly models?: readonly string[] | undefined
  readonly modelNames: Readonly<Record<string, string>>
  readonly includeUsage: boolean
  readonly terminator: 'done' | 'finish-reason'
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly streamIdleTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxConnections: number
  readonly egress: { readonly allow: readonly string[] }
}

const key = z
  .union([z.string().min(1), z.custom<Secret>(isSecret, 'must be a string or a Secret')])
  .transform((value) => secret(value))

export const openAiOptions: z.ZodType<OpenAiOptions, OpenAiInput> = z.strictObject({
  provider: z.string().min(1).default('openai').describe('Prefix of its models: `openai` serves `openai/*`'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.openai.com/v1')
    .describe('Where `/chat/completions` is below'),
  apiKey: key.optional().describe('Sent as `Authorization: Bearer`'),
  headers: z.record(z.string(), z.string()).default({}).describe('Sent with every request, such as `openai-organization`'),
  models: z.array(z.string().min(1)).optional().describe('Ids and `prefix/*` patterns it serves; default: `provider/*`'),
  modelNames: z
    .record(z.string(), z.string())
    .default({})
    .describe('Upstream name by id, where it is not the id less its prefix'),
  includeUsage: z.boolean().default(true).describe('Ask streams for their usage, and hide it from a client who did not'),
  terminator: z
    .enum(['done', 'finish-reason'])
    .default('done')
    .describe('`finish-reason` for upstreams that never send `[DONE]`'),
  connectTimeoutMs: z.int().min(1).default(5_000).describe('DNS, TCP and TLS together'),
  headersTimeoutMs: z.int().min(0).default(120_000).describe('Request sent to reply headers; 0 = none'),
  streamIdleTimeoutMs: z.int().min(0).default(30_000).describe('Silence within a reply; 0 = none'),
  totalTimeoutMs: z.int().min(1).default(600_000).describe('Request to the last byte'),
  maxConnections: z.int().min(1).default(256).describe('Sockets to the upstream'),
  egress: z
    .strictObject({
      allow: z.array(z.string()).default([]).describe('Private CIDR blocks it may reach, such as `127.0.0.0/8`'),
    })
    .prefault({}),
}) as unknown as z.ZodType<OpenAiOptions, OpenAiInput>
