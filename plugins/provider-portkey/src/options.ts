import { isSecret, MODEL_ENDPOINTS, type ModelEndpoint, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'
import { type PortkeyConfig, portkeyConfig } from './portkey-config.ts'

/** One provider behind Portkey, under the prefix that is its key in `providers`. */
export interface ProviderInput {
  readonly slug?: string | undefined
  readonly apiKey?: string | Secret | undefined
  readonly virtualKey?: string | Secret | undefined
  readonly customHost?: string | undefined
  readonly endpoints?: readonly ModelEndpoint[] | undefined
  readonly credentials?: Readonly<Record<string, string | Secret>> | undefined
}

/** What `portkey({ ... })` takes; README has the defaults. */
export interface PortkeyInput {
  readonly apiKey?: string | Secret | undefined
  readonly baseUrl?: string | undefined
  readonly providers?: Readonly<Record<string, ProviderInput>> | undefined
  readonly config?: string | PortkeyConfig | undefined
  readonly forwardHeaders?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly strictOpenAiCompliance?: boolean | undefined
  readonly requestTimeoutMs?: number | undefined
  readonly allowClientConfig?: boolean | undefined
  readonly allowClientKeys?: boolean | undefined
  readonly allowDroppedParameters?: boolean | undefined
  readonly includeUsage?: boolean | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly headersTimeoutMs?: number | undefined
  readonly streamIdleTimeoutMs?: number | undefined
  readonly totalTimeoutMs?: number | undefined
  readonly maxConnections?: number | undefined
  readonly egress?: { readonly allow?: readonly string[] | undefined } | undefined
}

/** A provider as validated. */
export interface ProviderOptions {
  readonly slug?: string | undefined
  readonly apiKey?: Secret | undefined
  readonly virtualKey?: Secret | undefined
  readonly customHost?: string | undefined
  readonly endpoints?: readonly ModelEndpoint[] | undefined
  readonly credentials: Readonly<Record<string, Secret>>
}

/** Options as validated. */
export interface PortkeyOptions {
  readonly apiKey?: Secret | undefined
  readonly baseUrl: string
  readonly providers: Readonly<Record<string, ProviderOptions>>
  readonly config?: string | PortkeyConfig | undefined
  readonly forwardHeaders: readonly string[]
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly strictOpenAiCompliance: boolean
  readonly requestTimeoutMs?: number | undefined
  readonly allowClientConfig: boolean
  readonly allowClientKeys: boolean
  readonly allowDroppedParameters: boolean
  readonly includeUsage: boolean
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly streamIdleTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxConnections: number
  readonly egress: { readonly allow: readonly string[] }
}

const secretText = z
  .union([z.string().min(1), z.custom<Secret>(isSecret, 'must be a string or a Secret')])
  .transform((value) => secret(value))

const provider = z.strictObject({
  slug: z.string().min(1).optional().describe('Portkey’s name of the provider; default: the prefix'),
  apiKey: secretText.optional().describe('The provider’s own key'),
  virtualKey: secretText.optional().describe('A credential stored at hosted Portkey'),
  customHost: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL in place of the provider’s'),
  endpoints: z
    .array(z.enum(MODEL_ENDPOINTS))
    .min(1)
    .optional()
    .describe('What it speaks, where the tables of Portkey’s adapters do not know, as of a custom host'),
  credentials: z.record(z.string(), secretText).default({}).describe('Further credentials, as the SDK names them: `awsRegion`'),
})

export const portkeyOptions: z.ZodType<PortkeyOptions, PortkeyInput> = z.strictObject({
  apiKey: secretText.optional().describe('Key of hosted Portkey; also selects hosted mode'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.portkey.ai/v1')
    .describe('A self-hosted Portkey, with `/v1`'),
  providers: z
    .record(z.string().regex(/^[^/]+$/, 'must not contain "/"'), provider)
    .default({})
    .describe('Providers by the prefix of their models'),
  config: z
    .union([z.string().min(1), portkeyConfig])
    .optional()
    .describe('A saved config’s id, or a config object'),
  forwardHeaders: z
    .array(z.string().min(1).toLowerCase())
    .default([])
    .describe('Client headers handed on to the provider unchanged'),
  metadata: z.record(z.string(), z.string()).optional().describe('Sent as `x-portkey-metadata`'),
  strictOpenAiCompliance: z.boolean().default(true).describe('False adds provider fields, such as thinking blocks'),
  requestTimeoutMs: z.int().min(1).optional().describe('Portkey’s own timeout, to headers only: a backstop, longer than ours'),
  allowClientConfig: z
    .boolean()
    .default(true)
    .describe('Honour `x-portkey-config` of clients, without hosts or credentials in it'),
  allowClientKeys: z.boolean().default(false).describe('Hand on a client’s `Authorization` when it picks the provider itself'),
  allowDroppedParameters: z.boolean().default(false).describe('Send tools and response formats that Portkey is known to drop'),
  includeUsage: z.boolean().default(true).describe('Ask streams for their usage, and hide it from a client who did not'),
  connectTimeoutMs: z.int().min(1).default(5_000).describe('DNS, TCP and TLS together'),
  headersTimeoutMs: z.int().min(0).default(120_000).describe('Request sent to reply headers; 0 = none'),
  streamIdleTimeoutMs: z.int().min(0).default(30_000).describe('Silence within a reply; 0 = none'),
  totalTimeoutMs: z.int().min(1).default(600_000).describe('Request to the last byte'),
  maxConnections: z.int().min(1).default(256).describe('Sockets to Portkey'),
  egress: z
    .strictObject({
      allow: z.array(z.string()).default([]).describe('Private CIDR blocks it may reach, such as `127.0.0.0/8`'),
    })
    .prefault({}),
}) as unknown as z.ZodType<PortkeyOptions, PortkeyInput>
