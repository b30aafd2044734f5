import { z } from 'zod'
import { HASHED_DIMENSIONS } from './encoder/hashed-ngrams.ts'
import { samplingFor } from './policy/sampling.ts'

/** Options as validated. */
export interface CacheSemanticOptions {
  readonly epsilon: number
  readonly auditFloor: number
  readonly window: number
  readonly minSimilarity: number
  readonly judgeShare: number
  readonly confirmNo: boolean
  readonly evidenceMaxAgeMs: number
  readonly language: string
  readonly anyLanguage: boolean
  readonly maxTurns: number
  readonly dimensions: number
  readonly maxTokens: number
}

/** What `cacheSemantic({ ... })` takes; README has the defaults. */
export type CacheSemanticInput = Partial<CacheSemanticOptions>

const share = z.number().min(0).max(1)

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
    judgeShare: share.gt(0).default(1).describe('Share of misses that a judge is asked about'),
    confirmNo: z.boolean().default(true).describe('A no of the judge counts only when it is said twice, independently'),
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
    maxTurns: z.int().min(1).default(3).describe('Conversations with more turns are left alone'),
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
  })
  .transform((options) => {
    const sampling = samplingFor(options.epsilon === 0 ? 0.01 : options.epsilon)
    return { ...options, auditFloor: options.auditFloor ?? sampling.auditFloor, window: options.window ?? sampling.window }
  }) as unknown as z.ZodType<CacheSemanticOptions, CacheSemanticInput>
