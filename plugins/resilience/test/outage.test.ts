import { describe, expect, test } from 'vitest'
import type { OperationInput } from '../src/options.ts'
import { fakeCall, unavailable } from './fake-call.ts'
import { scripted, stack } from './stack.ts'
import { alternative } from './test-lanes.ts'

/** One call each 10 ms to a target that is down for a while; what it and its spare saw. */
function traffic(input: OperationInput, downFrom: number, downTo: number, spare: boolean, how: 'fails' | 'hangs' = 'fails') {
  const seen = { first: 0, spare: 0, failed: 0, served: 0, firstServedAt: Number.POSITIVE_INFINITY }
  const guards = stack(
    input,
    scripted((call) => {
      if (call.target === 'spare') {
        seen.spare++
        return { kind: 'whole', afterMs: 20 }
      }
      seen.first++
      const at = guards.clock.monotonic()
      if (at >= downFrom && at < downTo && how === 'hangs') return { kind: 'hangs' }
      if (at >= downFrom && at < downTo) return { kind: 'fails', afterMs: 5, error: unavailable() }
      if (at >= downTo) seen.firstServedAt = Math.min(seen.firstServedAt, at)
      return { kind: 'whole', afterMs: 20 }
    }),
  )
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      guards.call(fakeCall(spare ? { alternatives: [alternative('spare')] } : {})).then(
        () => void seen.served++,
        () => void seen.failed++,
      )
      await guards.clock.advance(10)
    }
  }
  return { seen, run, guards }
}

describe('a target that dies at 100 calls a second', () => {
  test('is found out within a second and a half, and asked again one open time after it came back', async () => {
    const { seen, run, guards } = traffic({}, 5_000, 25_000, false)
    await run(6_500)
    expect(guards.events()).toEqual(['breaker:opened'])
    const seenByThen = seen.first
    await run(3_500)
    expect(seen.first).toBe(seenByThen)
    await run(50_000)
    // Open for 15 s, then for 30 s after a probe that failed: 20 s into the outage, 26 s after its end at the latest.
    expect(seen.firstServedAt).toBeLessThanOrEqual(25_000 + 30_000)
    expect(guards.lanes.at('sql.query', 'orders', guards.clock.now()).breaker.state).toBe('closed')
  })

  test('costs no call while another one works', async () => {
    const { seen, run, guards } = traffic({}, 5_000, 25_000, true)
    await run(60_000)
    await guards.clock.advance(1_000)
    expect(seen).toMatchObject({ failed: 0, served: 6_000 })
    expect(seen.first + seen.spare).toBeLessThan(6_000 * 1.05)
  })

  test('sees no storm of retries, even without a breaker', async () => {
    const { seen, run, guards } = traffic({ breaker: { enabled: false } }, 0, 1e9, false)
    await run(60_000)
    await guards.clock.advance(10_000)
    expect(seen.failed).toBe(6_000)
    // A fifth, ten a second, and once what ten seconds give.
    expect(seen.first - 6_000).toBeLessThanOrEqual(6_000 * 0.2 + 10 * 60 + 300)
    expect(seen.first - 6_000).toBeGreaterThan(6_000 * 0.2)
  })
})

test('a target that falls silent at 100 calls a second costs no call while another one works', async () => {
  const { seen, run, guards } = traffic({}, 5_000, 25_000, true, 'hangs')
  await run(7_000)
  // A second until the first are given up, and half a window of good samples from before.
  expect(guards.events()).toEqual(['breaker:opened'])
  await run(53_000)
  await guards.clock.advance(2_000)
  expect(seen).toMatchObject({ failed: 0, served: 6_000 })
  expect(seen.first + seen.spare).toBeLessThan(6_000 * 1.05)
})

test('one of three targets that refuses every connection, at 500 calls a second: nobody is refused by a guard of ours', async () => {
  const targets = ['a', 'b', 'c'] as const
  let down = false
  const guards = stack(
    {},
    scripted((call) => {
      if (down && call.target === 'a') return { kind: 'fails', afterMs: 0, error: unavailable({ details: { sent: false } }) }
      return { kind: 'whole', afterMs: 150 }
    }),
  )
  const failed: unknown[] = []
  let served = 0
  for (let index = 0; index < 3_000; index++) {
    if (index === 500) down = true
    const [first, ...others] = targets.map((_, at) => targets[(index + at) % 3] as string)
    const alternatives = others.map((target) => alternative(target))
    guards.call(fakeCall({ target: first as string, alternatives })).then(
      () => void served++,
      (error: unknown) => void failed.push(error),
    )
    await guards.clock.advance(2)
  }
  await guards.clock.advance(5_000)
  expect(failed).toEqual([])
  expect(served).toBe(3_000)
  expect(guards.events()).toEqual(['breaker:opened'])
})
