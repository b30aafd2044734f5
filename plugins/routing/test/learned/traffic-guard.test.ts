import { describe, expect, test } from 'vitest'
import { seeded, type TrafficGuard, trafficGuard } from '../../src/learned/index.ts'

const norm = { mean: 10, deviation: 2 }
const guard = (): TrafficGuard => trafficGuard({ targetQuality: 0.98, norm })
const pairs = (one: TrafficGuard, count: number, rate: number, seed: number): void => {
  const chance = seeded(seed)
  for (let at = 0; at < count; at += 1) one.pair(Number(chance() < rate), Number(chance() < 0.9))
}

describe('a traffic guard', () => {
  test('says nothing before it has seen enough, and nothing of traffic that looks as fitted', () => {
    const one = guard()
    for (let at = 0; at < 99; at += 1) one.observe(0)
    expect(one.verdict()).toBe('open')
    const other = guard()
    const chance = seeded(3)
    for (let at = 0; at < 5_000; at += 1) other.observe(8 + 4 * chance())
    expect(other.verdict()).toBe('open')
  })

  test('shuts within a hundred prompts of other traffic, and stays shut', () => {
    const one = guard()
    for (let at = 0; at < 100; at += 1) one.observe(8)
    expect(one.verdict()).toBe('other-traffic')
    for (let at = 0; at < 200; at += 1) one.observe(12)
    expect(one.verdict()).toBe('other-traffic')
  })

  test('shuts an arm that shadows show to be worse, whatever the prompts look like', () => {
    const one = guard()
    pairs(one, 400, 0.5, 1)
    expect(one.verdict()).toBe('below-target')
  })

  test('opens other traffic once shadows certify the arm there', () => {
    const one = guard()
    for (let at = 0; at < 100; at += 1) one.observe(1)
    for (let at = 0; at < 50; at += 1) one.pair(1, 1)
    expect(one.verdict()).toBe('other-traffic')
    for (let at = 0; at < 2_000; at += 1) one.pair(1, at % 2)
    expect(one.verdict()).toBe('open')
  })

  test('seldom shuts an arm that keeps the promise, however often it is asked', () => {
    let shut = 0
    for (let seed = 1; seed <= 40; seed += 1) {
      const one = guard()
      pairs(one, 1_000, 0.9, seed)
      if (one.verdict() === 'below-target') shut += 1
    }
    expect(shut).toBeLessThanOrEqual(4)
  })
})
