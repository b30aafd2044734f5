import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { patience } from '../../src/levels/patience.ts'

const fails = () => Promise.reject(new Error('away'))
const { signal } = new AbortController()

function stand() {
  const clock = virtualClock()
  const store = patience({ clock, timeoutMs: 10 })
  const fail = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) await store.run(fails, signal).catch(() => {})
  }
  return { clock, store, fail }
}

test('each probe that fails doubles the pause, up to five seconds', async () => {
  const { clock, store, fail } = stand()
  await fail(5)
  for (const pause of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    expect(store.isOpen()).toBe(true)
    await clock.advance(pause - 1)
    expect(store.isOpen()).toBe(true)
    await clock.advance(1)
    expect(store.isOpen()).toBe(false)
    await fail(1)
  }
})

test('after an answer the pauses begin anew', async () => {
  const { clock, store, fail } = stand()
  await fail(5)
  await clock.advance(250)
  await fail(1)
  await clock.advance(500)
  expect(await store.run(async () => 'there', signal)).toBe('there')
  expect(store.isOpen()).toBe(false)
  await fail(5)
  await clock.advance(250)
  expect(store.isOpen()).toBe(false)
})

test('while one probes, nobody else waits', async () => {
  const { clock, store, fail } = stand()
  await fail(5)
  await clock.advance(250)
  let answer = (_: string): void => {}
  const probe = store.run(() => new Promise<string>((resolve) => (answer = resolve)), signal)
  await expect(store.run(async () => 'beside', signal)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
  answer('there')
  expect(await probe).toBe('there')
  expect(clock.pending()).toBe(0)
})
