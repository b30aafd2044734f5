import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArmGuards, type Evidence, NO_EVIDENCE, withPair } from '../../src/guided/arm-guard.ts'
import { boundsOf } from '../../src/guided/confidence.ts'
import { seeded } from '../../src/learned/index.ts'

const norm = { mean: 1, deviation: 0.1 }
const rule = { target: 0.98, risk: 0.05 }

function follow(agreement: number, pairs: number, seed: number, by = rule): { readonly end: Evidence; readonly offAt: number } {
  const chance = seeded(seed)
  let evidence = NO_EVIDENCE
  let offAt = Number.POSITIVE_INFINITY
  for (let pair = 1; pair <= pairs; pair++) {
    evidence = withPair(evidence, chance() < agreement ? 1 : 0, by)
    if (evidence.off) offAt = Math.min(offAt, pair)
  }
  return { end: evidence, offAt }
}

describe('bounds of a mean', () => {
  test('hold what was seen, narrow as more is seen, and stay within 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (right, wrong) => {
        const count = right + wrong
        const { lower, upper } = boundsOf(right, count, 0.05)
        expect(lower).toBeGreaterThanOrEqual(0)
        expect(upper).toBeLessThanOrEqual(1)
        if (count === 0) return
        expect(lower).toBeLessThanOrEqual(right / count)
        expect(upper).toBeGreaterThanOrEqual(right / count)
        const more = boundsOf(right * 4, count * 4, 0.05)
        expect(more.upper - more.lower).toBeLessThanOrEqual(upper - lower + 1e-9)
      }),
    )
  })

  test('by hand: 50 of 50 are above 0.8, and 0 of 50 below 0.2', () => {
    // (1/51) / m^50 < 20 where m > (1/1020)^(1/50).
    expect(boundsOf(50, 50, 0.05)).toEqual({ lower: expect.closeTo((1 / 1_020) ** (1 / 50), 6), upper: 1 })
    expect(boundsOf(0, 50, 0.05).upper).toBeCloseTo(1 - (1 / 1_020) ** (1 / 50), 6)
    expect(boundsOf(0, 0, 0.05)).toEqual({ lower: 0, upper: 1 })
  })

  test('are wrong at any of 2,000 looks in no more than 5 % of runs', () => {
    let wrong = 0
    for (let seed = 1; seed <= 200; seed++) {
      const chance = seeded(seed)
      let sum = 0
      for (let count = 1; count <= 2_000; count++) {
        sum += chance() < 0.9 ? 1 : 0
        // Every tenth look is enough to find a crossing that lasts.
        if (count % 10 !== 0) continue
        const { lower, upper } = boundsOf(sum, count, 0.05)
        if (lower > 0.9 || upper < 0.9) {
          wrong += 1
          break
        }
      }
    }
    expect(wrong / 200).toBeLessThanOrEqual(0.05)
  })
})

describe('an arm', () => {
  test('that was promised at 98 % and keeps 88.6 % on other traffic goes off within 250 pairs', () => {
    const offs = Array.from({ length: 40 }, (_, seed) => follow(0.886, 400, seed + 1).offAt).toSorted((a, b) => a - b)
    expect(offs[20]).toBeLessThan(100)
    expect(offs[38]).toBeLessThan(250)
  })

  test('that keeps its promise stays on, in 95 of 100 runs of 2,000 pairs', () => {
    const off = Array.from({ length: 100 }, (_, seed) => follow(0.985, 2_000, seed + 1).end.off)
    expect(off.filter(Boolean).length).toBeLessThanOrEqual(5)
  })

  test('needs evidence: no single pair turns it off, and none turns it on again', () => {
    expect(withPair(NO_EVIDENCE, 0, rule).off).toBe(false)
    let evidence = follow(0.2, 50, 1).end
    expect(evidence.off).toBe(true)
    for (let pair = 0; pair < 5_000; pair++) evidence = withPair(evidence, 1, rule)
    expect(evidence.off).toBe(true)
  })

  test('is judged by kind of question, told of once, and begins anew with another artefact', () => {
    const guards = new ArmGuards({ target: 0.9, risk: 0.05 }, norm)
    const told: unknown[] = []
    for (let pair = 0; pair < 60; pair++) {
      const off = guards.note('label', 'cheap', 0)
      if (off !== undefined) told.push(off)
    }
    expect(told).toHaveLength(1)
    expect([guards.isOff('label', 'cheap'), guards.isOff('tools', 'cheap'), guards.isOff('label', 'other')]).toEqual([
      true,
      false,
      false,
    ])
    expect(guards.verdict()).toBe('below-target')
    guards.renew(norm)
    expect(guards.isOff('label', 'cheap')).toBe(false)
    expect(guards.verdict()).toBe('open')
  })

  test('does not serve traffic that is unlike the rows, until pairs speak for it', () => {
    const guards = new ArmGuards({ target: 0.9, risk: 0.05 }, norm)
    for (let prompt = 0; prompt < 120; prompt++) guards.observe(0.2)
    expect(guards.verdict()).toBe('other-traffic')
    for (let pair = 0; pair < 600; pair++) guards.note('label', 'cheap', 1)
    expect(guards.verdict()).toBe('open')
  })
})
