import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../src/index.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('tells epoch and monotonic milliseconds', () => {
  const [now, monotonic] = [systemClock.now(), systemClock.monotonic()]
  vi.advanceTimersByTime(50)
  expect(systemClock.now() - now).toBe(50)
  expect(systemClock.monotonic() - monotonic).toBe(50)
})

test('runs a callback once, when it is due', () => {
  const callback = vi.fn()
  systemClock.schedule(10, callback)
  vi.advanceTimersByTime(9)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(callback).toHaveBeenCalledTimes(1)
})

test('a delay that no Node timer holds does not fire at once', () => {
  const callback = vi.fn()
  const days30 = 30 * 24 * 3_600_000
  systemClock.schedule(days30, callback)
  vi.advanceTimersByTime(days30 - 1)
  expect(callback).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(callback).toHaveBeenCalledTimes(1)
})

test('a cancelled callback never runs, however late and however often it is cancelled', () => {
  const callback = vi.fn()
  const cancel = systemClock.schedule(2 ** 31, callback)
  vi.advanceTimersByTime(2 ** 31 - 1)
  cancel()
  cancel()
  vi.advanceTimersByTime(2 ** 31)
  expect(callback).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test('a sleep ends in time and leaves no listener', async () => {
  const controller = new AbortController()
  const remove = vi.spyOn(controller.signal, 'removeEventListener')
  const slept = systemClock.sleep(10, controller.signal)
  vi.advanceTimersByTime(10)
  await expect(slept).resolves.toBeUndefined()
  expect(remove).toHaveBeenCalledTimes(1)
})

test('an abort ends a sleep with its reason, its timer cleared', async () => {
  const controller = new AbortController()
  const slept = systemClock.sleep(10, controller.signal)
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(slept).rejects.toBe(reason)
  expect(vi.getTimerCount()).toBe(0)
  await expect(systemClock.sleep(10, controller.signal)).rejects.toBe(reason)
  expect(vi.getTimerCount()).toBe(0)
})
