import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'
import { type ModelInput, type ModelOptions, modelOptions } from './model/options.ts'
import { type SqlInput, type SqlOptions, sqlOptions } from './sql/options.ts'

interface Limits {
  readonly nearMaxBytes: number
  readonly maxEntryBytes: number
  readonly compressFromBytes: number
  readonly lookupTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly maxWritesInFlight: number
  readonly sharedMaxBytes: number
  readonly fleetTimeoutMs: number
  readonly ownCallTimeoutMs: number
  readonly maxOwnCalls: number
  readonly maxBudgetShare: number
  readonly rememberedReplies: number
  readonly storeFallbacks: boolean
  readonly headers: boolean
}

/** Options as validated; described in {@link cacheOptions}. */
export interface CacheOptions extends Limits {
  readonly secret?: Secret | undefined
  readonly models: ModelOptions
  readonly sql: SqlOptions
}

/** Options as written: every field may be left out. */
export type CacheInput = { readonly [K in keyof Limits]?: Limits[K] | undefined } & {
  readonly secret?: string | Secret | undefined
  readonly models?: ModelInput | undefined
  readonly sql?: SqlInput | undefined
}

const MIB = 1024 * 1024
const count = z.int().min(1).max(1_000_000)
const milliseconds = z.int().min(1).max(600_000)

/** The schema of the options. Strict: an unknown key is an error. */
export const cacheOptions: z.ZodType<CacheOptions, CacheInput> = z.strictObject({
  secret: z
    .union([z.string().min(16), z.custom<Secret>(isSecret, 'must be a text of at least 16 characters, or a Secret')])
    .transform((value) => secret(value))
    .optional()
    .describe(
      'Keys are digests under it, so that nobody who reads the store can tell what was asked; the same on all nodes. Another one is a flush',
    ),
  models: modelOptions.prefault({}).describe('How calls of models are cached'),
  sql: sqlOptions.prefault({}).describe('How statements are cached; none is unless it is told here or by the call'),
  nearMaxBytes: z
    .int()
    .min(0)
    .default(64 * MIB)
    .describe('Bytes of ready replies kept in this process; 0 = none'),
  maxEntryBytes: z
    .int()
    .min(1)
    .default(8 * MIB)
    .describe('Larger replies are not stored'),
  compressFromBytes: z
    .int()
    .min(0)
    .default(2_048)
    .describe('From this size on a reply is compressed for a shared store, where that pays'),
  lookupTimeoutMs: milliseconds
    .default(10)
    .describe('How long a call waits for a shared store; five failures in a row, and it is not asked for a while'),
  writeTimeoutMs: milliseconds
    .default(2_000)
    .describe(
      'How long storing may take, for which no caller waits, and deleting what a write changed, for which the writer does',
    ),
  maxWritesInFlight: count.default(1_000).describe('More replies than that are not stored at once, but dropped'),
  sharedMaxBytes: z
    .int()
    .min(1)
    .default(8 * MIB)
    .describe('Bytes of a reply under way that are kept for those who ask for the same'),
  fleetTimeoutMs: milliseconds
    .default(250)
    .describe('How long a call waits for the other nodes before it goes upstream by itself'),
  ownCallTimeoutMs: milliseconds.default(60_000).describe('How long a refresh or an audit may take'),
  maxOwnCalls: count.default(64).describe('Refreshes and audits under way at once; more are dropped'),
  maxBudgetShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Refreshes and audits are made only while less of every hard budget of the caller is used'),
  rememberedReplies: count
    .default(10_000)
    .describe('Replies from the cache of which a caller may still say that they were wrong'),
  storeFallbacks: z.boolean().default(false).describe('Also replies that a fallback or a degraded target gave'),
  headers: z.boolean().default(true).describe('Tells callers by headers what came from where, and why not'),
})
