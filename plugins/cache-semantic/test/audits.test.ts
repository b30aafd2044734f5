import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seeded } from '../src/evaluate/index.ts'
import { auditsOf, ofAll, weightedError, wilson } from '../src/level/audits.ts'

describe('the error that audits tell', () => {
  test('is Wilson’s interval where all weigh the same', () => {
    // 10 wrong of 100: 5.5 to 17.4 %, as tables have it.
    const audits = Array.from({ length: 100 }, (_, at) => ({ right: at >= 10, weight: 4 }))
    const { share, low, high } = weightedError(audits) ?? { share: 0, low: 0, high: 0 }
    expect(share).toBeCloseTo(0.1, 10)
    expect(low).toBeCloseTo(0.0552, 3)
    expect(high).toBeCloseTo(0.1744, 3)
    // None wrong is not none at all.
    expect(wilson(0, 100)).toMatchObject({ share: 0, low: 0, high: expect.closeTo(0.037, 3) })
    expect(weightedError([])).toBeUndefined()
    // One that stands for as many hits as fifty others leaves four, not fifty-one: 100^2 / (50 + 50^2).
    const unequal = [{ right: true, weight: 50 }, ...Array.from({ length: 50 }, () => ({ right: true, weight: 1 }))]
    expect(weightedError(unequal)?.high).toBeCloseTo(wilson(0, 3.92).high, 2)
  })

  test('lies within its interval, which lies in [0, 1], and which more of the same makes no wider', () => {
    const audit = fc.record({ right: fc.boolean(), weight: fc.double({ min: 1, max: 100, noNaN: true }) })
    fc.assert(
      fc.property(fc.array(audit, { minLength: 1, maxLength: 60 }), (audits) => {
        const one = weightedError(audits) as NonNullable<ReturnType<typeof weightedError>>
        const twice = weightedError([...audits, ...audits]) as typeof one
        expect(one.low).toBeGreaterThanOrEqual(0)
        expect(one.high).toBeLessThanOrEqual(1)
        expect(one.share).toBeGreaterThanOrEqual(one.low)
        expect(one.share).toBeLessThanOrEqual(one.high)
        expect(twice.share).toBeCloseTo(one.share, 9)
        expect(twice.high - twice.low).toBeLessThanOrEqual(one.high - one.low + 1e-9)
        const all = ofAll(one, 0.5)
        expect([all.low, all.share, all.high]).toEqual([one.low / 2, one.share / 2, one.high / 2])
      }),
    )
  })

  test('covers the truth about as often as it says, with unequal chances of being audited', () => {
    const random = seeded(11)
    let covered = 0
    let drawn = 0
    for (let round = 0; round < 400; round += 1) {
      const audits = auditsOf(4_000)
      let wrong = 0
      for (let hit = 0; hit < 1_500; hit += 1) {
        const isUnsure = random() < 0.2
        const right = random() >= (isUnsure ? 0.1 : 0.01)
        if (!right) wrong += 1
        const chance = isUnsure ? 0.6 : 0.1
        if (random() < chance) audits.add({ right, weight: 1 / chance })
      }
      drawn += audits.count
      const { low, high } = audits.errorOfHits() ?? { low: 1, high: 0 }
      if (low <= wrong / 1_500 && wrong / 1_500 <= high) covered += 1
    }
    expect(drawn / 400).toBeLessThan(400)
    expect(covered / 400).toBeGreaterThan(0.93)
  })

  test('forgets the oldest beyond what it holds', () => {
    const audits = auditsOf(3, [{ right: false, weight: 1 }])
    expect([audits.count, audits.failed]).toEqual([1, 1])
    for (let at = 0; at < 3; at += 1) audits.add({ right: true, weight: 2 })
    expect([audits.count, audits.failed, audits.errorOfHits()?.share]).toEqual([3, 0, 0])
    expect(auditsOf(2, audits.oldestFirst).count).toBe(2)
  })
})
