import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'

export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full'

/** A password, or what fetches one for each new connection, as for short-lived tokens. */
export type Password = Secret | (() => string | Secret | Promise<string | Secret>)

interface Tls<S> {
  readonly mode?: TlsMode | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: S | undefined
  readonly serverName?: string | undefined
}

interface Where<S, P> {
  readonly url?: S | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  readonly password?: P | undefined
  readonly tls?: Tls<S> | undefined
  readonly applicationName?: string | undefined
}

interface Limits {
  readonly searchPath: readonly string[]
  readonly poolMax: number
  readonly maxConnecting: number
  readonly maxWaiting: number
  readonly acquireTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly idleTransactionTimeoutMs: number
  readonly cancelTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxLifetimeMs: number
  readonly streamBatchRows: number
  readonly preparedStatements: number
  readonly pgbouncer: boolean
  readonly connectOnStart: boolean
}

/** Options as validated, every default filled in; described in {@link postgresOptions}. */
export interface PostgresOptions extends Where<Secret, Password>, Limits {}

/** Options as written. */
export interface PostgresInput
  extends Where<string | Secret, string | Password>,
    Partial<{ readonly [K in keyof Limits]: Limits[K] | undefined }> {}

const hidden = z
  .union([z.string().min(1), z.custom<Secret>(isSecret, 'must be a string or a Secret')])
  .transform((value) => secret(value))

const password = z.union([
  hidden,
  z.custom<() => string>((value) => typeof value === 'function', 'must be a string, a Secret or a function'),
])

const milliseconds = (least: number, standard: number) => z.int().min(least).max(86_400_000).default(standard)

const tls = z.strictObject({
  mode: z
    .enum(['disable', 'require', 'verify-ca', 'verify-full'])
    .optional()
    .describe(
      '`require` encrypts but trusts anybody; default: `verify-full`, and `disable` for loopback addresses and sockets',
    ),
  ca: z.string().optional().describe('PEM of the authorities to trust; default: those that Node knows'),
  cert: z.string().optional().describe('PEM of the client’s certificate'),
  key: hidden.optional().describe('PEM of the client’s private key'),
  serverName: z.string().optional().describe('Name that the server’s certificate must be for; default: the host'),
})

/** The schema of the options. Strict: an unknown key is an error. */
export const postgresOptions: z.ZodType<PostgresOptions, PostgresInput> = z.strictObject({
  url: hidden
    .optional()
    .describe('`postgres://user:password@host:port/database?sslmode=verify-full`; or the five options below'),
  host: z.string().min(1).optional().describe('Name, address, or folder of the socket; default: `localhost`'),
  port: z.int().min(1).max(65_535).optional().describe('Default: 5432'),
  database: z.string().min(1).optional().describe('Default: named as the user'),
  user: z.string().min(1).optional().describe('Role to log in as; required here or in the URL'),
  password: password.optional().describe('Text, Secret, or a function asked at each new connection; wins over the URL’s'),
  tls: tls.optional().describe('Wins over the URL’s `ssl...` parameters'),
  applicationName: z.string().min(1).max(63).optional().describe('Shown in `pg_stat_activity`; default: `switchyard/INSTANCE`'),
  searchPath: z
    .array(z.string().regex(/^[a-z_][a-z0-9_]*$/, 'write schema names in lower case: letters, digits, underscore'))
    .default([])
    .describe('Schemas to look in, first to last; default: the role’s'),
  poolMax: z.int().min(1).max(10_000).default(10).describe('Connections at most'),
  maxConnecting: z.int().min(1).max(1_000).default(4).describe('Connections being opened at once'),
  maxWaiting: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1_000)
    .describe('Calls that may wait for a connection that others hold; one more is refused'),
  acquireTimeoutMs: milliseconds(1, 5_000).describe('Wait for a free connection, then OVERLOADED'),
  connectTimeoutMs: milliseconds(1, 5_000).describe('DNS, TCP, TLS and login together'),
  statementTimeoutMs: milliseconds(1, 30_000).describe(
    'Longest run of a statement, held by the server; of one batch of a stream, held by the client',
  ),
  idleTransactionTimeoutMs: milliseconds(1, 60_000).describe(
    'Longest pause inside a transaction, held by the server; between batches of a stream, held by the client',
  ),
  cancelTimeoutMs: milliseconds(1, 1_000).describe('Wait for a cancelled statement to end before its connection is dropped'),
  idleTimeoutMs: milliseconds(1, 30_000).describe('An unused connection is closed after this'),
  maxLifetimeMs: milliseconds(1_000, 1_800_000).describe('A connection is closed, when next free, at 90 to 100 % of this age'),
  streamBatchRows: z.int().min(1).max(100_000).default(256).describe('Rows of a stream fetched, and held, at once'),
  preparedStatements: z.int().min(0).max(10_000).default(256).describe('Named statements kept a connection; 0 turns them off'),
  pgbouncer: z
    .boolean()
    .default(false)
    .describe('Behind a transaction-pooling proxy: no named statements, no start-up parameters, timeouts held by the client'),
  connectOnStart: z
    .boolean()
    .default(true)
    .describe('Log in once at start, so that a wrong address or password stops the start'),
}) as unknown as z.ZodType<PostgresOptions, PostgresInput>
