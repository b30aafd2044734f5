import { isSecret, MODEL_ENDPOINTS, type ModelEndpoint, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'
import { DIALECTS } from './dialect.ts'

/** What `openai({ ... })` takes; README has the defaults. */
export interface OpenAiInput {
  readonly dialect?: 'openai' | 'anthropic' | undefined
  readonly provider?: string | undefined
  readonly baseUrl?: string | undefined
  readonly apiKey?: string | Secret | undefined
  readonly endpoints?: readonly ModelEndpoint[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly forwardHeaders?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
  readonly modelNames?: Readonly<Record<string, string>> | undefined
  readonly includeUsage?: boolean | undefined
  readonly terminator?: 'done' | 'finish-reason' | undefined
  readonly maxTokensField?: 'max_completion_tokens' | 'max_tokens' | undefined
  readonly maxTokens?: number | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly headersTimeoutMs?: number | undefined
  readonly streamIdleTimeoutMs?: number | undefined
  readonly totalTimeoutMs?: number | undefined
  readonly maxConnections?: number | undefined
  readonly egress?: { readonly allow?: readonly string[] | undefined } | undefined
}

/** Options as validated. */
export interface OpenAiOptions {
  readonly dialect: 'openai' | 'anthropic'
  readonly provider: string
  readonly baseUrl: string
  readonly apiKey?: Secret | undefined
  readonly endpoints: readonly ModelEndpoint[]
  readonly headers: Readonly<Record<string, string>>
  readonly forwardHeaders: readonly string[]
  readonly models?: readonly string[] | undefined
  readonly modelNames: Readonly<Record<string, string>>
  readonly includeUsage: boolean
  readonly terminator: 'done' | 'finish-reason'
  readonly maxTokensField: 'max_completion_tokens' | 'max_tokens'
  readonly maxTokens: number
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

const endpoint = z.enum(MODEL_ENDPOINTS)

const fields = z.strictObject({
  dialect: z
    .enum(['openai', 'anthropic'])
    .default('openai')
    .describe('How it takes its key and lists its models, and the defaults of those marked *'),
  provider: z.string().min(1).optional().describe('* Prefix of its models: `openai` serves `openai/*`'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('* Where `/chat/completions` or `/messages` is below'),
  apiKey: key.optional().describe('Sent as `Authorization: Bearer`, to Anthropic as `x-api-key`'),
  endpoints: z
    .array(endpoint)
    .min(1)
    .optional()
    .describe('* What it speaks by itself; chat, messages and responses are translated for each other'),
  headers: z.record(z.string(), z.string()).default({}).describe('Sent with every request, such as `openai-organization`'),
  forwardHeaders: z
    .array(z.string().min(1).toLowerCase())
    .optional()
    .describe('* Client headers handed on; never in place of its own'),
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
  maxTokensField: z
    .enum(['max_completion_tokens', 'max_tokens'])
    .default('max_completion_tokens')
    .describe('Its name of the output limit, for what is translated to chat'),
  maxTokens: z
    .int()
    .min(1)
    .default(4_096)
    .describe('Output limit of what is translated to messages, where the client set none'),
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
})

export const openAiOptions: z.ZodType<OpenAiOptions, OpenAiInput> = fields.transform((given) => {
  const { provider, baseUrl, endpoints, forwardHeaders } = DIALECTS[given.dialect]
  return {
    ...given,
    provider: given.provider ?? provider,
    baseUrl: given.baseUrl ?? baseUrl,
    endpoints: given.endpoints ?? endpoints,
    forwardHeaders: given.forwardHeaders ?? forwardHeaders,
  }
}) as unknown as z.ZodType<OpenAiOptions, OpenAiInput>
