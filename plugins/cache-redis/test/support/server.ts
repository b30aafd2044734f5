import { randomBytes } from 'node:crypto'
import { type Bus, bus, type Clock, type Counters, counters } from '@switchyard/contract'
import { recordingLogger, type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { Redis } from 'ioredis'
import { beforeEach, expect, onTestFinished } from 'vitest'
import { type NotRun, notRunLine, redisForTests } from '../../../../scripts/services/index.ts'
import { type CacheRedisInput, cacheRedis } from '../../src/index.ts'

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

/** A prefix of the test's own at the shared server, and what removes all under it. */
export function freshPrefix(url: string | undefined = serverUrl): { readonly keyPrefix: string; clear(): Promise<void> } {
  const keyPrefix = `switchyard-test-${randomBytes(6).toString('hex')}:`
  return {
    keyPrefix,
    async clear() {
      const client = new Redis(url as string)
      try {
        for await (const keys of client.scanStream({ match: `${keyPrefix}*`, count: 1_000 })) {
          if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]))
        }
      } finally {
        client.disconnect()
      }
    },
  }
}

export interface Opened {
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
  return { counters: plugin.port(counters), bus: plugin.port(bus), plugin, log }
}

/** Starts the plugin under a prefix of its own at the run's server; both go when the test ends. */
export async function openShared(
  options: CacheRedisInput = {},
  clock?: Clock,
): Promise<Opened & { readonly keyPrefix: string }> {
  const { keyPrefix, clear } = freshPrefix()
  onTestFinished(clear)
  return { ...(await open({ url: serverUrl, keyPrefix, ...options }, clock)), keyPrefix }
}

/** What a promise rejects with; fails where it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.unreachable(`it resolved with ${String(value)}`),
    (error: unknown) => error,
  )
}
