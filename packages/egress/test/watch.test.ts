import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Phase, Watch } from '../src/watch.ts'
import { manualClock } from './support.ts'

const INF = Number.POSITIVE_INFINITY

function watch(
  totalMs: number,
  firstMs: number,
): { clock: ReturnType<typeof manualClock>; guard: Watch; fired: [Phase, number, number][] } {
  const clock = manualClock(1_000)
  const fired: [Phase, number, number][] = []
  const guard: Watch = new Watch(
    clock,
    {
      expire: (phase, ms) => {
        fired.push([phase, ms, clock.now() - 1_000])
        guard.stop()
      },
    },
    totalMs,
    firstMs,
  )
  return { clock, guard, fired }
}

describe('Watch', () => {
  test('sets one timer, whatever the phases', () => {
    const { clock, guard } = watch(600, 30)
    expect(clock.pending).toBe(1)
    guard.enter('headers', 30)
    guard.enter('bodyIdle', 30)
    for (let index = 0; index < 50; index++) guard.touch()
    expect(clock.pending).toBe(1)
    guard.stop()
    expect(clock.pending).toBe(0)
  })

  test('sets none where nothing is bounded', () => {
    for (const none of [0, INF]) {
      const { clock, guard } = watch(INF, none)
      guard.enter('headers', none)
      guard.touch()
      expect(clock.pending).toBe(0)
    }
  })

  test('a bound longer than timers can be does not fire early', () => {
    const { clock, fired } = watch(1e12, 0)
    clock.advance(2 ** 31)
    expect(fired).toEqual([])
    clock.advance(1e12)
    expect(fired.map(([phase]) => phase)).toEqual(['total'])
  })

  test('a shorter phase after a longer one fires in time', () => {
    const { clock, guard, fired } = watch(INF, 1_000)
    guard.enter('headers', 1_000)
    clock.advance(500)
    guard.enter('bodyIdle', 100)
    clock.advance(100)
    expect(fired).toEqual([['bodyIdle', 100, 600]])
  })

  test('fires at the instant a plain reading of its bounds gives, and once', () => {
    const bound = fc.oneof(fc.constant(INF), fc.constant(0), fc.integer({ min: 1, max: 50 }))
    const step = fc.oneof(
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant('touch' as const) }),
      fc.record({
        do: fc.constant('enter' as const),
        phase: fc.constantFrom<Phase>('headers', 'bodyIdle', 'reader'),
        ms: bound,
      }),
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(INF), fc.integer({ min: 1, max: 200 })),
        bound,
        fc.array(step, { maxLength: 40 }),
        (totalMs, firstMs, steps) => {
          const { clock, guard, fired } = watch(totalMs, firstMs)
          let now = 0
          let phase: { name: Phase; ms: number; at: number } | undefined
          let expected: [Phase, number, number] | undefined
          for (const each of steps) {
            if (expected !== undefined) break
            if (each.do === 'enter') {
              phase = each.ms > 0 ? { name: each.phase, ms: each.ms, at: now + each.ms } : undefined
              guard.enter(each.phase, each.ms)
            } else if (each.do === 'touch') {
              if (phase !== undefined) phase.at = now + phase.ms
              guard.touch()
            } else {
              for (let tick = 0; tick < each.ms && expected === undefined; tick++) {
                now++
                clock.advance(1)
                if (now >= totalMs) expected = ['total', totalMs, now]
                else if (phase !== undefined && now >= phase.at) expected = [phase.name, phase.ms, now]
              }
            }
          }
          expect(fired).toEqual(expected === undefined ? [] : [expected])
          guard.stop()
          expect(clock.pending).toBe(0)
        },
      ),
      { numRuns: 500 },
    )
  })
})
