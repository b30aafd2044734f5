import { randomBytes } from 'node:crypto'
import { type Bus, bus, type Cache, type Clock, type Counters, cache, counters } from '@switchyard/contract'
import { recordingLogger, type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { type Cluster, Redis } from 'ioredis'
import { afterAll, beforeEach, expect, onTestFinished } from 'vitest'
import { type NotRun, notRunLine, redisForTests } from '../../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../../src/index.ts'
import { logKeys } from '../../src/log/keys.ts'
import { LOAD } from '../../src/log/scripts.ts'

const outcome = await redisForTests()

/** The server that the run shares; its tests are skipped, by name, where there is none. */
export const serverUrl: string | undefined = outcome.status === 'ready' ? outcome.url : undefined

/** How long what the server or the client does by itself may take on a busy machine. */
export const PATIENCE = { timeout: 15_000, interval: 20 } as const

/** Skips the tests of a block or file with a note that names the server and says why it is not there. */
export function needs(server: { readonly status: 'ready' } | NotRun): void {
  if (server.status === 'not-run') beforeEach((context) => context.skip(notRunLine(server)))
}

/** Skips the tests of a block or file where the run has no server to share. */
export function needsServer(): void {
  needs(outcome)
}

const run = `switchyard-test-${randomBytes(6).toString('hex')}`
let prefixes = 0

/** A prefix of the test's own at the shared server. All under it goes when the test file ends. */
export function freshPrefix(): string {
  prefixes += 1
  return `${run}-${prefixes}:`
}

afterAll(async () => {
  if (serverUrl === undefined || prefixes === 0) return
  const client = new Redis(serverUrl)
  try {
    for await (const keys of client.scanStream({ match: `${run}-*`, count: 10_000 })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]))
    }
  } finally {
    client.disconnect()
  }
})

/**
 * Makes the log of a prefix look as if it had stood for long: beside a new one nobody can tell who held a lease before, so its first
 * deletion takes as long as a lease.
 */
export async function settleLog(
  client: Redis | Cluster,
  keyPrefix: string,
  genesis: string = randomBytes(9).toString('base64url'),
): Promise<string> {
  const { log, state } = logKeys(keyPrefix)
  const args = [log, state, 'settler', genesis, '1', '10000', '10000'] as const
  await client.eval(LOAD.text, 2, ...args)
  await client.hset(state, '!hold', '0', '!nodes', '{}')
  return keyPrefix
}

export interface Opened {
  readonly cache: Cache
  readonly counters: Counters
  readonly bus: Bus
  readonly plugin: StartedPlugin
  readonly log: ReturnType<typeof recordingLogger>
}

/** Starts the plugin where the options say, and closes it when the test ends. */
export async function open(options: CacheRedisInput, clock: Clock = systemClock()): Promise<Opened> {
  const log = recordingLogger()
  const plugin = await startPlugin(cacheRedis(options), { clock, log })
  onTestFinished(() => plugin.close())
  return { cache: plugin.port(cache), counters: plugin.port(counters), bus: plugin.port(bus), plugin, log }
}

/** Starts the plugin under a prefix of its own at the run's server, and closes it when the test ends. */
export async function openShared(
  options: CacheRedisInput = {},
  clock?: Clock,
): Promise<Opened & { readonly keyPrefix: string }> {
  const keyPrefix = freshPrefix()
  return { ...(await open({ url: serverUrl, keyPrefix, ...options }, clock)), keyPrefix }
}

/** What a promise rejects with; fails where it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: unknown) => error,
  )
}
