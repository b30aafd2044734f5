import { type Call, SwitchyardError } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { writesOn } from '../src/writes.ts'
import { memoryCache } from './support/rig.ts'

const call = { signal: new AbortController().signal } as Call
const done = async (): Promise<never> => 'done' as never
const away = (): Promise<never> => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away'))

async function stand(deleteByTag: (tag: string) => Promise<void>) {
  const clock = virtualClock()
  const cache = { ...(await memoryCache(clock)), deleteByTag }
  return { clock, writes: writesOn({ cache, clock, log: recordingLogger(), timeoutMs: 1_000 }) }
}

test('what is owed anew while it is made good stays owed', async () => {
  let answer: (() => Promise<void>) | undefined = away
  const held: (() => void)[] = []
  const { clock, writes } = await stand(() => answer?.() ?? new Promise((resolve) => held.push(resolve)))
  await writes.around(call, done, ['t'])
  answer = undefined
  await clock.advance(500)
  expect(held).toHaveLength(1)
  answer = away
  await writes.around(call, done, ['t'])
  held[0]?.()
  await clock.advance(0)
  expect(writes.isBehind(['t'])).toBe(true)
  answer = async () => {}
  await clock.advance(500)
  expect(writes.isBehind(['t'])).toBe(false)
  writes.close()
})

test('where more is owed than is remembered apart, everything is passed by', async () => {
  const { writes } = await stand(away)
  const tags = Array.from({ length: 10_001 }, (_, at) => `t${at}`)
  await writes.around(call, done, tags.slice(1))
  expect(writes.isBehind(['other'])).toBe(false)
  await writes.around(call, done, tags)
  expect(writes.isBehind(['other'])).toBe(true)
  writes.close()
})

test('once it is closed, a write that was given up arms nothing', async () => {
  const { clock, writes } = await stand(async () => {})
  writes.close()
  const given = () => Promise.reject(new SwitchyardError('TIMEOUT', 'nobody knows'))
  await expect(writes.around(call, given, ['t'])).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(clock.pending()).toBe(0)
})
