import { readFileSync } from 'node:fs'
import { recordingLogger } from '@switchyard/testkit'
import { afterEach, expect, test, vi } from 'vitest'
import { type PortkeyChild, startPortkey } from '../src/portkey-child/start.ts'

let child: PortkeyChild | undefined
afterEach(async () => {
  vi.useRealTimers()
  await child?.close()
  delete process.env.SWITCHYARD_TEST_SECRET
})

async function answers(baseUrl: string): Promise<boolean> {
  return fetch(new URL('/', baseUrl)).then(
    (reply) => reply.ok,
    () => false,
  )
}

test('killed, it comes back at the same address, knowing none of our secrets; closed, it stays away', async () => {
  process.env.SWITCHYARD_TEST_SECRET = 'sk-canary'
  const log = recordingLogger()
  child = await startPortkey({ log, trustedHosts: ['one.example'] })
  const { baseUrl } = child
  const first = child.pid() as number
  if (process.platform === 'linux') {
    const environment = readFileSync(`/proc/${first}/environ`, 'utf8')
    expect(environment).toContain('TRUSTED_CUSTOM_HOSTS=one.example')
    expect(environment).not.toContain('canary')
  }

  process.kill(first, 'SIGKILL')
  await expect.poll(() => child?.pid(), { timeout: 10_000 }).not.toBe(first)
  await expect.poll(() => answers(baseUrl), { timeout: 15_000 }).toBe(true)
  expect(child.baseUrl).toBe(baseUrl)
  expect(log.records.filter(({ level }) => level === 'error')).toEqual([
    expect.objectContaining({
      message: 'portkey died; starting it again',
      fields: expect.objectContaining({ signal: 'SIGKILL', restartInMs: 250 }),
    }),
  ])

  const second = child.pid() as number
  await child.close()
  await child.close()
  expect(() => process.kill(second, 0)).toThrow(/ESRCH/)
  expect(await answers(baseUrl)).toBe(false)
  expect(log.records.filter(({ level }) => level === 'error')).toHaveLength(1)
})

test('closed in the pause before its restart, it is not started again', async () => {
  const log = recordingLogger()
  child = await startPortkey({ log })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  process.kill(child.pid() as number, 'SIGKILL')
  await expect.poll(() => log.text()).toContain('starting it again')
  expect(vi.getTimerCount()).toBe(1)
  await child.close()
  expect(vi.getTimerCount()).toBe(0)
})
