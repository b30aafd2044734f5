import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'

/** Host and port of a node or a sentinel. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

interface Tls<S> {
  readonly enabled?: boolean | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: S | undefined
  readonly serverName?: string | undefined
}

interface Sentinel<S> {
  readonly nodes: readonly RedisAddress[]
  readonly master: string
  readonly username?: string | undefined
  readonly password?: S | undefined
  readonly tls?: boolean | undefined
}

interface Where<S> {
  readonly url?: S | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly cluster?: readonly RedisAddress[] | undefined
  readonly sentinel?: Sentinel<S> | undefined
  readonly username?: string | undefined
  readonly password?: S | undefined
  readonly db?: number | undefined
  readonly tls?: Tls<S> | undefined
  readonly clientName?: string | undefined
}

interface Limits {
  readonly keyPrefix: string
  readonly leaseMs: number
  readonly maxEntryBytes: number
  readonly maxTags: number
  readonly maxLogLength: number
  readonly countTags: boolean
  readonly waitForReplicas: 'auto' | number
  readonly replicaTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
  readonly maxInFlight: number
  readonly maxSubscriptions: number
  readonly maxFlightBytes: number
  readonly vectorIndex: 'auto' | 'replicated' | 'vector-sets'
  readonly maxVectorBytes: number
  readonly maxVectorsPerPartition: number
  readonly connectOnStart: boolean
}

/** Options as validated, every default filled in; described in {@link redisOptions}. */
export interface CacheRedisOptions extends Where<Secret>, Limits {}

/** Options as written. */
export interface CacheRedisInput
  extends Where<string | Secret>,
    Partial<{ readonly [K in keyof Limits]: Limits[K] | undefined }> {}

const hidden = z
  .union([z.string().min(1), z.custom<Secret>(isSecret, 'must be a string or a Secret')])
  .transform((value) => secret(value))

const port = z.int().min(1).max(65_535)

const address = z.strictObject({
  host: z.string().min(1).describe('Name or address'),
  port: port.default(6379).describe('Port'),
})

const tls = z.strictObject({
  enabled: z.boolean().optional().describe('Default: on where `tls` or a `rediss:` URL is given'),
  ca: z.string().optional().describe('PEM of the authorities to trust; default: those that Node knows'),
  cert: z.string().optional().describe('PEM of the client’s certificate'),
  key: hidden.optional().describe('PEM of the client’s private key'),
  serverName: z.string().optional().describe('Name that the server’s certificate must be for; default: the host'),
})

const sentinel = z.strictObject({
  nodes: z.array(address).min(1).describe('The sentinels'),
  master: z.string().min(1).describe('Name that the sentinels have for the group'),
  username: z.string().min(1).optional().describe('User to log in at the sentinels as'),
  password: hidden.optional().describe('Password of the sentinels; they have one of their own'),
  tls: z.boolean().optional().describe('Whether the sentinels speak TLS too, by the option `tls`; default: no'),
})

const milliseconds = (standard: number) => z.int().min(1).max(600_000).default(standard)

/** The schema of the options. Strict: an unknown key is an error. */
export const redisOptions: z.ZodType<CacheRedisOptions, CacheRedisInput> = z.strictObject({
  url: hidden
    .optional()
    .describe('`redis://user:password@host:port/db`, `rediss:` for TLS; or `host`, or `cluster`, or `sentinel`'),
  host: z.string().min(1).optional().describe('Name or address; default: `localhost`'),
  port: port.optional().describe('Default: 6379'),
  cluster: z.array(address).min(1).optional().describe('Some nodes of a Redis Cluster; the others are found through them'),
  sentinel: sentinel.optional().describe('Sentinels that know the master'),
  username: z.string().min(1).optional().describe('ACL user; default: `default`, or that of the URL'),
  password: hidden.optional().describe('Text or Secret; default: that of the URL'),
  db: z.int().min(0).max(1_000_000).optional().describe('Number of the database; default: 0, or that of the URL'),
  tls: tls.optional().describe('Turns TLS on; the certificate is always verified'),
  clientName: z
    .string()
    .regex(/^[!-~]{1,100}$/, 'must be printable ASCII without spaces')
    .optional()
    .describe('Shown by CLIENT LIST; default: `switchyard/INSTANCE`'),
  keyPrefix: z
    .string()
    .regex(/^[^{}]{1,200}$/, 'must not be empty and must hold no braces: they name the shard')
    .default('switchyard:')
    .describe('Before every key and channel; assemblies that share it share their state'),
  connectTimeoutMs: milliseconds(5_000).describe('DNS, TCP, TLS and login together'),
  commandTimeoutMs: milliseconds(1_000).describe('Longest that a call is held, whatever Redis does'),
  maxInFlight: z.int().min(1).max(1_000_000).default(10_000).describe('Calls under way at once; one more is OVERLOADED'),
  maxSubscriptions: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Subscriptions of the bus at once; a subscribe beyond it is OVERLOADED'),
  maxFlightBytes: z
    .int()
    .min(1)
    .max(256 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Bytes that one flight may hand over; beyond it append is TOO_LARGE'),
  vectorIndex: z
    .enum(['auto', 'replicated', 'vector-sets'])
    .default('auto')
    .describe(
      'How vectors are searched: in each node, exactly, or by Redis 8 in vector sets; auto: by those where the server, asked at start, knows them',
    ),
  maxVectorBytes: z
    .int()
    .min(1)
    .max(4096 * 1024 * 1024)
    .default(128 * 1024 * 1024)
    .describe(
      'Bytes of vectors that a node holds to search them; beyond it partitions go, and are read again when they are needed',
    ),
  maxVectorsPerPartition: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(50_000)
    .describe('Items that Redis keeps of one partition; beyond it those written first go'),
  leaseMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(1_000)
    .describe('How long a node may use copies of entries unheard, and so how long one that died holds up a deletion'),
  maxEntryBytes: z
    .int()
    .min(1)
    .max(256 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Bytes of a cache entry as stored; more is TOO_LARGE'),
  maxTags: z
    .int()
    .min(10)
    .max(100_000)
    .default(10_000)
    .describe('Deleted tags that are told apart; beyond it the oldest quarter goes, and entries older than those are void'),
  maxLogLength: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(10_000)
    .describe('Events kept, about; a node that missed more drops its copies and reads the state anew'),
  countTags: z
    .boolean()
    .default(true)
    .describe('Keep estimates of how many entries bear a tag, one command for each tag of a set'),
  waitForReplicas: z
    .union([z.literal('auto'), z.int().min(0).max(100)])
    .default('auto')
    .describe('Replicas that must have a deletion before it resolves; `auto`: one where the server has any'),
  replicaTimeoutMs: milliseconds(500).describe('Longest wait for them; then the deletion rejects'),
  connectOnStart: z.boolean().default(true).describe('Connect at start, so that a wrong address or password stops the start'),
}) as unknown as z.ZodType<CacheRedisOptions, CacheRedisInput>
