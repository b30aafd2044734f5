import { z } from 'zod'

/** What is kept of a database's results, for how long, and for whom. */
export interface SqlRule {
  readonly match: { readonly targets: readonly string[]; readonly tables?: readonly string[] | undefined }
  readonly ttlMs: number
  readonly staleMs: number
  readonly mode: 'strict' | 'eventual'
  readonly scope: 'tenant' | 'key' | 'user'
  readonly maxBytes: number
  readonly whenAsked: boolean
}

/** What the texts of statements do not tell of a database. */
export interface SqlFacts {
  readonly targets: readonly string[]
  readonly also: Readonly<Record<string, readonly string[]>>
  readonly pure?: readonly string[] | undefined
  readonly harmless?: readonly string[] | undefined
}

export interface SqlOptions {
  readonly epoch: string
  readonly rules: readonly SqlRule[]
  readonly databases: Readonly<Record<string, SqlFacts>>
}

type Loose<T, K extends keyof T> = Omit<T, K> & { readonly [N in K]?: T[N] | undefined }

/** As it is written: a rule needs `match` and `ttlMs`, a database `targets`. */
export interface SqlInput {
  readonly epoch?: string | undefined
  readonly rules?: readonly Loose<SqlRule, 'staleMs' | 'mode' | 'scope' | 'maxBytes' | 'whenAsked'>[] | undefined
  readonly databases?: Readonly<Record<string, Loose<SqlFacts, 'also'>>> | undefined
}

const MONTH_MS = 2_592_000_000
const name = z.string().min(1).max(128)
const names = z.array(name).min(1).max(200)

const rule = z.strictObject({
  match: z
    .strictObject({
      targets: names.describe('Instances of the sql port, by name'),
      tables: names
        .optional()
        .describe('Only reads of these tables, each without its schema; needs node-sql-parser. Left out: of any'),
    })
    .describe('Which reads the rule is for. The first that fits counts'),
  ttlMs: z.number().int().positive().max(MONTH_MS).describe('How long a result is kept, in ms'),
  staleMs: z
    .number()
    .int()
    .nonnegative()
    .max(MONTH_MS)
    .default(0)
    .describe('How long after that it may still be served while it is read anew, in ms; a write ends that too'),
  mode: z
    .enum(['strict', 'eventual'])
    .default('strict')
    .describe(
      'strict: a read sees every write through Switchyard that ended before it began, on any node. eventual: copies in the process serve too',
    ),
  scope: z
    .enum(['tenant', 'key', 'user'])
    .default('tenant')
    .describe('Who shares a result: all of a tenant, who has the same key, or the same user'),
  maxBytes: z.number().int().positive().max(67_108_864).default(1_048_576).describe('Larger results are not kept, in bytes'),
  whenAsked: z.boolean().default(false).describe('Only for calls that name an age, by the attribute cacheMaxAgeMs'),
})

const database = z.strictObject({
  targets: names.describe('Instances that reach this database: a write through one ends what was read through another'),
  also: z
    .record(name, names)
    .default({})
    .describe('What else changes when a table does: by triggers and cascades, and views of it. Followed from one to the next'),
  pure: names.optional().describe('Functions of your own whose result follows from their arguments and the tables in the text'),
  harmless: names.optional().describe('Functions of your own that change nothing; reads with them are not kept'),
})

/** What is kept of databases' results: nothing, until a rule says so. */
export const sqlOptions: z.ZodType<SqlOptions, SqlInput> = z
  .strictObject({
    epoch: z.string().max(100).default('').describe('Part of every key: change it to begin anew'),
    rules: z.array(rule).max(200).default([]).describe('What is kept, for how long, and for whom'),
    databases: z
      .record(name, database)
      .default({})
      .describe('What texts do not tell, by a name for the database. A target that stands in none is a database of its own'),
  })
  .describe('Cache of sql.query. Off without rules')
