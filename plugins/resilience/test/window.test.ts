import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SlidingWindow } from '../src/window.ts'

describe('a sliding window', () => {
  test('counts what a list of events would, to one slice', () => {
    const events = fc.array(fc.tuple(fc.nat(2_500), fc.nat(1)), { maxLength: 60, size: 'max' })
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 1_000_000 }), (steps, start) => {
        const window = new SlidingWindow(2_000, 10, 2)
        const happened: (readonly [number, number])[] = []
        let now = start
        for (const [passed, kind] of steps) {
          now += passed
          window.add(kind, now)
          happened.push([now, kind])
          const oldest = (Math.floor(now / 200) - 9) * 200
          for (const asked of [0, 1]) {
            const expected = happened.filter(([at, of]) => of === asked && at >= oldest).length
            expect(window.count(asked, now)).toBe(expected)
          }
        }
        expect(window.count(0, now + 2_000)).toBe(0)
      }),
    )
  })

  test('is emptied by idle time alone', () => {
    const window = new SlidingWindow(10_000, 10, 1)
    for (let i = 0; i < 20; i++) window.add(0, 1_000)
    expect(window.count(0, 10_999)).toBe(20)
    expect(window.count(0, 11_000)).toBe(0)
  })

  test('keeps its counts when the clock goes back', () => {
    const window = new SlidingWindow(10_000, 10, 1)
    window.add(0, 50_000)
    window.add(0, 20_000)
    expect(window.count(0, 50_000)).toBe(2)
  })
})
