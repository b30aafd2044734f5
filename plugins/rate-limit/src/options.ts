import { z } from 'zod'

/** What calls are counted by. `target` is judged at each attempt, all others once a call. */
export type Dimension = 'all' | 'tenant' | 'team' | 'user' | 'key' | 'model' | 'target' | `metadata.${string}`

/** Which calls a limit is for: every member that is given must hold. Names may end with `*`. */
export interface LimitMatch {
  readonly tenants?: readonly string[] | undefined
  readonly teams?: readonly string[] | undefined
  readonly users?: readonly string[] | undefined
  readonly keys?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
  readonly targets?: readonly string[] | undefined
  readonly operations?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined
}

/** So many in any stretch of time of this length. */
export interface WindowLimit {
  readonly count: number
  readonly windowMs: number
}

/** So many tokens in any stretch of time of this length. */
export interface TokenLimit extends WindowLimit {
  readonly of: 'total' | 'input' | 'output'
  readonly cachedInput: 'counted' | 'free'
}

/** One limit as validated: at least one of requests, tokens and concurrency. */
export interface Limit {
  readonly name: string
  /** Never empty. */
  readonly per: readonly Dimension[]
  readonly match?: LimitMatch | undefined
  readonly requests?: WindowLimit | undefined
  readonly tokens?: TokenLimit | undefined
  readonly concurrency?: number | undefined
}

/** What becomes of calls while the counters cannot be reached. */
export type WhenStoreAway = 'open' | 'closed' | 'local'

/** Options as validated. */
export interface RateLimitOptions {
  readonly limits: readonly Limit[]
  readonly whenStoreAway: WhenStoreAway
  readonly nodes: number
  readonly storeRetryMs: number
  readonly maxWaitMs: number
  readonly expectedOutputTokens: number
  readonly concurrencyLeaseMs: number
}

/** One limit as it is written. */
export interface LimitInput {
  readonly name: string
  readonly per: Dimension | readonly Dimension[]
  readonly match?: LimitMatch | undefined
  readonly requests?: WindowLimit | undefined
  readonly tokens?: (WindowLimit & Partial<Pick<TokenLimit, 'of' | 'cachedInput'>>) | undefined
  readonly concurrency?: number | undefined
}

/** What `rateLimit({ ... })` takes; README has the defaults. */
export interface RateLimitInput {
  readonly limits?: readonly LimitInput[] | undefined
  readonly whenStoreAway?: WhenStoreAway | undefined
  readonly nodes?: number | undefined
  readonly storeRetryMs?: number | undefined
  readonly maxWaitMs?: number | undefined
  readonly expectedOutputTokens?: number | undefined
  readonly concurrencyLeaseMs?: number | undefined
}

const LONGEST_WINDOW_MS = 31 * 24 * 60 * 60 * 1000

const text = z.string().min(1)
const names = z.array(text).min(1).optional()
const count = z.int().min(1)
const windowMs = z.int().min(1).max(LONGEST_WINDOW_MS).describe('Length of the sliding window')

const dimension = z
  .string()
  .regex(
    /^(all|tenant|team|user|key|model|target|metadata\..+)$/,
    'one of all, tenant, team, user, key, model, target, metadata.NAME',
  ) as unknown as z.ZodType<Dimension, Dimension>

const match = z.strictObject({
  tenants: names.describe('The caller is of one of these tenants'),
  teams: names.describe('The caller is of one of these teams'),
  users: names.describe('The caller is one of these users'),
  keys: names.describe('The call bears one of these keys, by id'),
  models: names.describe('The model is one of these; a name may end with `*`'),
  targets: names.describe('The deployment is one of these; a name may end with `*`; needs `per` to hold `target`'),
  operations: names.describe('The operation is one of these, such as `sql.query`'),
  metadata: z
    .record(text, z.union([z.string(), z.array(z.string()).min(1)]))
    .optional()
    .describe("The request's `metadata` has this value, or one of these, under each key"),
})

const limit = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'letters, digits, dot, dash and underscore, at most 64: it stands in headers')
      .describe('Stands in headers, errors and events'),
    per: z
      .union([dimension.transform((one): readonly Dimension[] => [one]), z.array(dimension).min(1)])
      .describe('What is counted by: one of all, tenant, team, user, key, model, target, metadata.NAME, or several together'),
    match: match.optional().describe('Only for calls of which all of this holds'),
    requests: z
      .strictObject({ count: count.describe('Calls that may start in any window'), windowMs })
      .optional()
      .describe('Calls a window'),
    tokens: z
      .strictObject({
        count: count.describe('Tokens in any window'),
        windowMs,
        of: z.enum(['total', 'input', 'output']).default('total').describe('Which tokens'),
        cachedInput: z
          .enum(['counted', 'free'])
          .default('counted')
          .describe('Whether input that the provider read from its cache counts'),
      })
      .optional()
      .describe('Tokens a window, for model.invoke'),
    concurrency: count.optional().describe('Calls under way at once, streams to their end'),
  })
  .refine(
    ({ requests, tokens, concurrency }) => requests !== undefined || tokens !== undefined || concurrency !== undefined,
    'a limit says at least one of requests, tokens and concurrency',
  )
  .refine(({ per, match }) => match?.targets === undefined || per.includes('target'), {
    path: ['match', 'targets'],
    error: 'goes with a limit per target: before an attempt it is not known which target will serve',
  })

/** The schema of the options. Strict: an unknown key is an error. */
export const rateLimitOptions: z.ZodType<RateLimitOptions, RateLimitInput> = z.strictObject({
  limits: z
    .array(limit)
    .default([])
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two limits bear the same name')
    .describe('All that a call falls under must have room'),
  whenStoreAway: z
    .enum(['open', 'closed', 'local'])
    .default('open')
    .describe('While the counters cannot be reached: let calls through, refuse them, or count in this process alone'),
  nodes: count.default(1).describe('Nodes of the fleet: with `local`, each has this share of every limit'),
  storeRetryMs: count.default(1000).describe('How long counters that failed are left alone before one call tries them again'),
  maxWaitMs: z.int().min(0).default(0).describe('How long a call may wait for room before it is refused'),
  expectedOutputTokens: z
    .int()
    .min(0)
    .default(512)
    .describe('Output reserved for a call at most, and for one that states no limit of its own'),
  concurrencyLeaseMs: z.int().min(1000).default(30_000).describe('How long the slots of a node that died stay taken'),
}) as unknown as z.ZodType<RateLimitOptions, RateLimitInput>
