import { expect, test } from 'vitest'
import { systemClock } from '../src/index.ts'

test('goes by itself, and sleeps no shorter than asked', async () => {
  const clock = systemClock()
  const [wall, began] = [clock.now(), clock.monotonic()]
  for (let round = 0; round < 10; round += 1) {
    const from = clock.monotonic()
    await clock.sleep(2)
    expect(clock.monotonic() - from).toBeGreaterThanOrEqual(2)
  }
  expect(clock.monotonic() - began).toBeGreaterThanOrEqual(20)
  expect(clock.now()).toBeGreaterThanOrEqual(wall)
})

test('a delay beyond what a Node timer holds does not fire at once', async () => {
  const clock = systemClock()
  let fired = false
  const cancel = clock.schedule(2 ** 40, () => {
    fired = true
  })
  await clock.sleep(5)
  cancel()
  cancel()
  expect(fired).toBe(false)
})

test('sleep rejects with the reason of its signal', async () => {
  const clock = systemClock()
  const leaving = new AbortController()
  const slept = clock.sleep(60_000, leaving.signal)
  leaving.abort(new Error('left'))
  await expect(slept).rejects.toThrow('left')
  await expect(clock.sleep(1, leaving.signal)).rejects.toThrow('left')
})
