import { expect, test } from 'vitest'
import { soak } from '../src/soak/bench.ts'
import { countListeners } from '../src/soak/counted-signal.ts'
import { heapSlope } from '../src/soak/slope.ts'

test('the slope is bytes a call, and none where there is one sample', () => {
  const samples = [0, 1, 2, 3].map((at) => ({ calls: at * 1_000, heapBytes: 5e6 + at * 2_000 }))
  expect(heapSlope(samples)).toBeCloseTo(2)
  expect(heapSlope(samples.map((each) => ({ ...each, heapBytes: 7 })))).toBe(0)
  expect(heapSlope(samples.slice(0, 1))).toBeNaN()
})

test('a listener is counted until it is taken off, or its signal has aborted', () => {
  const count = countListeners()
  try {
    const { signal, abort } = ((controller: AbortController) => ({
      signal: controller.signal,
      abort: () => controller.abort(),
    }))(new AbortController())
    const [one, two] = [() => {}, () => {}]
    signal.addEventListener('abort', one)
    signal.addEventListener('abort', one)
    signal.addEventListener('abort', two)
    expect(count.on()).toBe(2)
    signal.removeEventListener('abort', one)
    signal.removeEventListener('abort', one)
    expect(count.on()).toBe(1)
    abort()
    signal.addEventListener('abort', one)
    expect(count.on()).toBe(0)
  } finally {
    count.off()
  }
})

test('calls of every ending, three in ten aborted, leave no listener and no timer', async () => {
  const { calls, aborted, outcomes, before, after } = await soak(2_000, () => {})
  expect(aborted).toBe(600)
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(calls)
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['complete', 'truncated', 'aborted', 'ABORTED', 'TIMEOUT']))
  expect(after.listeners).toBe(0)
  expect(after.timers).toBeLessThanOrEqual(before.timers)
})
