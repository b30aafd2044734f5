import { expect, test } from 'vitest'
import { simulate } from '../src/simulate/run.ts'
import { COMPARISONS } from '../src/simulate/scenarios.ts'
import { seeded } from '../src/simulate/seeded.ts'

const variant = (comparison: string, name: string) => {
  const { scenario, variants } = COMPARISONS.find((each) => each.name === comparison) as (typeof COMPARISONS)[number]
  const { options } = variants.find((each) => each.name === name) as (typeof variants)[number]
  return { ...scenario, options, seconds: 10 }
}

test('the same seed gives the same numbers, another one others, all of them in [0, 1)', () => {
  const draw = (seed: number): number[] => Array.from({ length: 1_000 }, seeded(seed))
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  expect(Math.min(...draw(3))).toBeGreaterThanOrEqual(0)
  expect(Math.max(...draw(3))).toBeLessThan(1)
  expect(draw(4).reduce((sum, value) => sum + value, 0) / 1_000).toBeCloseTo(0.5, 1)
})

test('a simulation is the same twice, and what the guards refuse is not dialled', async () => {
  const [first, second] = [await simulate(variant('queue', 'controlled'), 7), await simulate(variant('queue', 'controlled'), 7)]
  expect(first).toEqual(second)
  expect(first.refused).toBeGreaterThan(0)
  expect(first.attempts + first.refused).toBeLessThanOrEqual(first.calls)
})

test('the guards do what the table is to show', async () => {
  const run = (comparison: string, name: string) => simulate(variant(comparison, name), 1)
  const plain = await run('queue', 'first come first')
  const controlled = await run('queue', 'controlled')
  expect(controlled.p50Ms).toBeLessThan(plain.p50Ms / 4)
  expect(controlled.served).toBeGreaterThan(plain.served * 0.95)
  const [off, on] = [await run('breaker', 'off'), await run('breaker', 'on')]
  expect([off.served, on.served]).toEqual([off.calls, on.calls])
  expect(on.attempts).toBeLessThan(off.attempts)
})
