import type { Cache } from '@switchyard/contract'
import { systemClock } from '@switchyard/testkit'
import { expect } from 'vitest'
import type { PrivateRedis } from '../../../../scripts/services/index.ts'
import type { CacheRedisInput } from '../../src/index.ts'
import { copiesOf } from './copies.ts'
import { open, PATIENCE } from './server.ts'
import { type Witness, witness } from './witness.ts'

/** Under which the nodes of the load are. */
export const keyPrefix = 'failover:'

const clock = systemClock()
const KEYS = 12
const TAGS = 3

/** Two nodes under calls of all kinds. */
export interface Load {
  readonly seen: Witness
  /** What calls rejected with. */
  readonly codes: ReadonlySet<string>
  /** Resolves once calls of every kind, on every key and tag, have gone well that often from now on, and copies may be used again. */
  goesWell(times: number): Promise<void>
  /** Resolves once every call has settled. */
  stop(): Promise<void>
}

/** Begins calls on two nodes, as many as can be; rejections are noted, never thrown. */
export async function load(options: CacheRedisInput): Promise<Load> {
  const nodes = await Promise.all([open({ ...options, keyPrefix }), open({ ...options, keyPrefix })])
  const seen = witness()
  const codes = new Set<string>()
  let running = true
  let well = new Map<string, number>()

  async function attempt(name: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call()
      well.set(name, (well.get(name) ?? 0) + 1)
    } catch (error) {
      codes.add((error as { code: string }).code)
      // As a breaker would.
      await clock.sleep(20)
    }
  }

  async function work(cache: Cache, number: number): Promise<void> {
    const copies = copiesOf(cache)
    for (let round = number; running; round += 1) {
      const at = (round * 7) % KEYS
      const [key, tag] = [`k${at}`, `t${at % TAGS}`]
      await attempt(`set ${key}`, async () => {
        const value = seen.storing(key, tag)
        await cache.set(key, { value: Buffer.from(value.text), tags: [tag], expiresAt: clock.now() + 60_000 })
        value.stored()
      })
      for (const other of [0, 1, 2].map((step) => `k${(at + step) % KEYS}`)) {
        const read = seen.reading()
        await attempt(`get ${other}`, async () => read(await copies.read(other)))
        seen.reading()(copies.use(other))
      }
      if (round % 4 === 0) {
        const deletion = seen.deleting({ tag })
        await attempt(`deleteByTag ${tag}`, () => cache.deleteByTag(tag).then(deletion.done))
      } else if (round % 4 === 2) {
        const deletion = seen.deleting({ key })
        await attempt('delete', () => cache.delete(key).then(deletion.done))
      }
    }
  }

  const names = [
    ...Array.from({ length: KEYS }, (_, at) => [`set k${at}`, `get k${at}`]).flat(),
    ...Array.from({ length: TAGS }, (_, at) => `deleteByTag t${at}`),
    'delete',
  ]
  const workers = nodes.flatMap(({ cache }, which) => [work(cache, which), work(cache, which + 2)])
  return {
    seen,
    codes,
    async goesWell(times) {
      well = new Map()
      await expect.poll(() => Math.min(...names.map((name) => well.get(name) ?? 0)), PATIENCE).toBeGreaterThanOrEqual(times)
      await expect.poll(() => nodes.every(({ cache }) => cache.changes?.current()), PATIENCE).toBe(true)
    },
    async stop() {
      running = false
      await Promise.all(workers)
    },
  }
}

/** Kills one master after the other under load, and asserts that nothing which was deleted is ever given again. */
export async function killUnderLoad(options: CacheRedisInput, masters: readonly PrivateRedis[]): Promise<void> {
  const running = await load(options)
  await running.goesWell(3)
  for (const master of masters) {
    await master.kill()
    await running.goesWell(3)
  }
  await running.stop()
  expect(running.seen.stale).toEqual([])
  expect(running.seen.given).toBeGreaterThan(100)
  // Lost, refused or late: never anything that a caller could not try again.
  for (const code of running.codes) expect(code).toBe('UPSTREAM_UNAVAILABLE')
}
