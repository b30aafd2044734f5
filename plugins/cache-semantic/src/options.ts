import { z } from 'zod'
import { HASHED_DIMENSIONS } from './encoder/hashed-ngrams.ts'
import { samplingFor } from './policy/sampling.ts'

/** A model that makes the vectors. */
export interface EmbeddingOptions {
  readonly model: string
  readonly target?: string | undefined
  readonly dimensions: number
  readonly timeoutMs: number
}

/** A model that tells whether stored answers would have done. */
export interface JudgeOptions {
  readonly model: string
  readonly target?: string | undefined
  readonly timeoutMs: number
  readonly maxPerMinute: number
  readonly share: number
  readonly confirmNo: boolean
  readonly maxChars: number
  readonly parameters: Readonly<Record<string, unknown>>
}

/** Options as validated. */
export interface CacheSemanticOptions {
  readonly epsilon: number
  readonly auditFloor: number
  readonly window: number
  readonly minSimilarity: number
  readonly evidenceMaxAgeMs: number
  readonly language: string
  readonly anyLanguage: boolean
  readonly maxTurns: number
  readonly dimensions: number
  readonly maxTokens: number
  readonly embedding?: EmbeddingOptions | undefined
  readonly judge?: JudgeOptions | undefined
  readonly lookupTimeoutMs: number
  readonly maxLookupsPerSecond: number
  readonly maxConcurrent: number
  readonly maxPopulations: number
  readonly maxBudgetShare: number
}

type Input<T extends { readonly model: string }> = Partial<T> & Pick<T, 'model'>

/** What `cacheSemantic({ ... })` takes; README has the defaults. */
export type CacheSemanticInput = Partial<Omit<CacheSemanticOptions, 'embedding' | 'judge'>> & {
  readonly embedding?: Input<EmbeddingOptions> | undefined
  readonly judge?: Input<JudgeOptions> | undefined
}

const share = z.number().min(0).max(1)
const model = z.string().min(1).describe('Catalog id, provider/model, or a public name of a router')
const target = z.string().min(1).optional().describe('Plugin instance that serves it; by default who declares the model')

const embedding = z.strictObject({
  model,
  target,
  dimensions: z
    .int()
    .min(16)
    .max(4_096)
    .multipleOf(4)
    .default(512)
    .describe('Length of the vectors that is asked for, in fours'),
  timeoutMs: z
    .int()
    .min(1)
    .max(10_000)
    .default(40)
    .describe('How long a look-up waits for its vector; later ones are used for storing'),
})

const judge = z.strictObject({
  model,
  target,
  timeoutMs: z.int().min(100).max(120_000).default(10_000).describe('Longest that one judgement may take'),
  maxPerMinute: z.int().min(1).default(600).describe('Calls a minute; the fewer are left, the fewer misses are judged'),
  share: share.gt(0).default(1).describe('Share of misses that it is asked about'),
  confirmNo: z.boolean().default(true).describe('A no counts only when it is said twice, independently'),
  maxChars: z
    .int()
    .min(200)
    .max(100_000)
    .default(8_000)
    .describe('UTF-16 code units of each text; longer ones are cut in the middle'),
  parameters: z
    .record(z.string(), z.json())
    .default({})
    .describe('Members of the request instead of temperature 0 and max_tokens 16; null leaves one out'),
})

/** The schema of the options. Strict: an unknown key is an error. */
export const cacheSemanticOptions: z.ZodType<CacheSemanticOptions, CacheSemanticInput> = z
  .strictObject({
    epsilon: share.lt(1).default(0.01).describe('Share of all requests that may be answered wrongly; 0: exact answers only'),
    auditFloor: share
      .gt(0)
      .optional()
      .describe('Least share of hits that is sent upstream too; by default what goes with epsilon'),
    window: z.int().min(100).optional().describe('Look-ups whose truth is remembered; by default what goes with epsilon'),
    minSimilarity: z
      .number()
      .min(-1)
      .max(1)
      .default(0.15)
      .describe('Below this there is no candidate: the mean of the encoder cosine and that of the words, in [-1, 1]'),
    evidenceMaxAgeMs: z
      .int()
      .min(1_000)
      .default(86_400_000)
      .describe('Without any label for so long, nothing is served until there is evidence again'),
    language: z.string().min(2).default('en').describe('BCP 47; of questions whose words tell none'),
    anyLanguage: z
      .boolean()
      .default(false)
      .describe('Also languages without a list of negations, numbers and opposites, where those cannot be told apart'),
    maxTurns: z.int().min(1).default(3).describe('Conversations with more turns of the user are left alone'),
    dimensions: z
      .int()
      .min(64)
      .max(65_536)
      .multipleOf(4)
      .default(HASHED_DIMENSIONS)
      .describe('Length of the vectors of the embedder, in fours; the fewer, the more n-grams share a place'),
    maxTokens: z
      .int()
      .min(16)
      .max(32_768)
      .default(512)
      .describe('Tokens that one text may have, counted as four UTF-16 code units each; a longer text is TOO_LARGE'),
    embedding: embedding.optional().describe('An embeddings model, through the gateway; absent: the embedded encoder'),
    judge: judge.optional().describe('A model that labels misses and audits; absent: right is what is equal word for word'),
    lookupTimeoutMs: z.int().min(1).max(10_000).default(50).describe('How long a look-up waits for the index'),
    maxLookupsPerSecond: z
      .number()
      .min(1)
      .max(1_000_000)
      .default(200)
      .describe('Look-ups a second in this process; beyond: bypass'),
    maxConcurrent: z.int().min(1).max(10_000).default(64).describe('Questions that are embedded at once; beyond: bypass'),
    maxBudgetShare: share
      .default(0.5)
      .describe('Judges and embeds only while less of every hard budget of the caller is used, so that clients have the rest'),
    maxPopulations: z
      .int()
      .min(1)
      .max(10_000)
      .default(128)
      .describe('Routes of tenants whose evidence is held in memory, up to 11 MB each; beyond, it is read anew at each turn'),
  })
  .transform((options) => {
    const sampling = samplingFor(options.epsilon === 0 ? 0.01 : options.epsilon)
    return { ...options, auditFloor: options.auditFloor ?? sampling.auditFloor, window: options.window ?? sampling.window }
  }) as unknown as z.ZodType<CacheSemanticOptions, CacheSemanticInput>
