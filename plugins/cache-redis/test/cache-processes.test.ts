import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freshPrefix, needsServer, type Opened, open, PATIENCE, serverUrl, settleLog } from './support/server.ts'

needsServer()
let redis: Redis
beforeAll(() => {
  redis = new Redis(serverUrl ?? 'redis://127.0.0.1:1', { lazyConnect: serverUrl === undefined })
})
afterAll(() => redis.disconnect())

interface Other {
  signal(name: NodeJS.Signals): void
  /** When it last used its copy, in epoch ms. */
  usedAt(): Promise<number>
}

/** A node in this process, and one in another that has a copy of what this one has stored. */
async function twoProcesses(): Promise<{ readonly here: Opened; readonly other: Other }> {
  const keyPrefix = await settleLog(redis, freshPrefix())
  const here = await open({ url: serverUrl, keyPrefix })
  await here.cache.set('k', { value: new Uint8Array(1), tags: ['t'] })
  const file = new URL('./support/node-process.ts', import.meta.url)
  const child = fork(file, [serverUrl as string, keyPrefix], { execArgv: ['--conditions=@switchyard/source'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'message')
  const other: Other = {
    signal: (name) => void child.kill(name),
    async usedAt() {
      child.send('report')
      const [{ usedAt }] = (await once(child, 'message')) as [{ usedAt: number }]
      return usedAt
    },
  }
  await expect.poll(() => other.usedAt(), PATIENCE).toBeGreaterThan(0)
  return { here, other }
}

test('a process that was halted uses no copy that was deleted meanwhile, not even before it hears of it', async () => {
  const { here, other } = await twoProcesses()
  other.signal('SIGSTOP')
  await delay(50)
  await here.cache.deleteByTag('t')
  const deletedAt = Date.now()
  other.signal('SIGCONT')
  await delay(100)
  expect(await other.usedAt()).toBeLessThan(deletedAt)
  expect(await other.usedAt()).toBeGreaterThan(0)
})

test('a process that was killed holds up the deletions of others for no longer than its lease', async () => {
  const { here, other } = await twoProcesses()
  other.signal('SIGKILL')
  // It rejects where it takes longer than a command, a replica and a lease together may.
  await here.cache.deleteByTag('t')
  expect(await here.cache.get('k')).toBeUndefined()
  expect(here.cache.changes?.current()).toBe(true)
})
