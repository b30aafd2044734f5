import { z } from 'zod'

/** Options as validated, every default filled in; described in {@link sqliteOptions}. */
export interface SqliteOptions {
  readonly path: string
  readonly readOnly: boolean
  readonly busyTimeoutMs: number
  readonly acquireTimeoutMs: number
  readonly maxWaiting: number
  readonly maxReaders: number
  readonly statementCacheSize: number
  readonly synchronous: 'normal' | 'full'
}

/** Options as written: all but the path may be left out. */
export type SqliteInput = Pick<SqliteOptions, 'path'> & { readonly [K in keyof SqliteOptions]?: SqliteOptions[K] | undefined }

/** The schema of the options. Strict: an unknown key is an error. */
export const sqliteOptions: z.ZodType<SqliteOptions, SqliteInput> = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('Database file, made where it is missing along with its folder; `:memory:` for one that ends with the process.'),
  readOnly: z
    .boolean()
    .default(false)
    .describe('Opens an existing file for reading only; every write is then refused with FORBIDDEN.'),
  busyTimeoutMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(5_000)
    .describe('How long a statement is tried again while another process holds the file, without blocking the event loop.'),
  acquireTimeoutMs: z
    .int()
    .min(1)
    .max(600_000)
    .default(5_000)
    .describe('How long a call waits for its turn at the writer, or for a free reader, before it is refused with OVERLOADED.'),
  maxWaiting: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1_000)
    .describe('Calls that may wait for a turn; one more is refused with OVERLOADED at once.'),
  maxReaders: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Read-only connections for streams, and for reads while a transaction is open. Not used by `:memory:`.'),
  statementCacheSize: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Prepared statements kept for each connection, least recently used first out.'),
  synchronous: z
    .enum(['normal', 'full'])
    .default('full')
    .describe(
      '`full` survives a power cut with every commit; `normal` is faster and may lose the last commits then, never at a crash.',
    ),
})
