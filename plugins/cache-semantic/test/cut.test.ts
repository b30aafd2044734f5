import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byScore, cutOf, type Evidence, EvidenceWindow, MIN_EVIDENCE, MIN_SCORE } from '../src/policy/cut.ts'

const evidence = fc.record({
  score: fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20),
  right: fc.boolean(),
  weight: fc.integer({ min: 1, max: 25 }),
})
const allowed = fc.double({ min: 0.001, max: 0.5, noNaN: true })

/** The bound of the policy's description, of everything that a cut would serve, counted afresh. */
const boundAt = (all: readonly Evidence[], cut: number): number => {
  const served = all.filter(({ score }) => score >= cut)
  const wrong = served.filter(({ right }) => !right).map(({ weight }) => weight)
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const largest = Math.max(...served.map(({ weight }) => weight))
  return (
    (sum(wrong) + 1.3 * Math.sqrt(sum(wrong.map((weight) => weight ** 2)) + largest ** 2)) /
    sum(all.map(({ weight }) => weight))
  )
}

const right = (score: number, weight = 1): Evidence => ({ score, right: true, weight })
const wrong = (score: number, weight = 1): Evidence => ({ score, right: false, weight })
const many = (count: number, one: Evidence): readonly Evidence[] => Array.from({ length: count }, () => one)

describe('cut', () => {
  test('is none before there is evidence, however good', () => {
    expect(cutOf(many(MIN_EVIDENCE - 1, right(0.99)), 0.5)).toBeUndefined()
    expect(cutOf(many(MIN_EVIDENCE, right(0.99)), 0.5)).toBe(0.99)
  })

  test('does not take silence for safety: a heavy audit that found nothing still counts', () => {
    // 1.3 x 30 / 230 = 17 %, though no error was seen.
    expect(cutOf([right(0.9, 30), ...many(200, right(0.1))], 0.1)).toBeUndefined()
    expect(cutOf([right(0.9, 30), ...many(200, right(0.1))], 0.2)).toBe(0.9)
  })

  test('never serves below one half', () => {
    expect(cutOf(many(1_000, right(0.49)), 0.5)).toBeUndefined()
  })

  test('serves nothing at a bound of nought', () => {
    expect(cutOf(many(5_000, right(0.99)), 0)).toBeUndefined()
  })

  test('holds the bound, as counted afresh, and is the lowest score that does', () => {
    fc.assert(
      fc.property(fc.array(evidence, { minLength: MIN_EVIDENCE, maxLength: 220 }), allowed, (all, share) => {
        const cut = cutOf(all.toSorted(byScore), share)
        const kept = [...new Set(all.map(({ score }) => score))].filter(
          (score) => score >= MIN_SCORE && boundAt(all, score) <= share,
        )
        expect(cut).toBe(kept.length === 0 ? undefined : Math.min(...kept))
      }),
    )
  })

  test('never falls when a right answer turns out wrong', () => {
    fc.assert(
      fc.property(fc.array(evidence, { minLength: MIN_EVIDENCE, maxLength: 160 }), allowed, fc.nat(), (all, share, which) => {
        const at = which % all.length
        const worse = all.with(at, { ...(all[at] as Evidence), right: false })
        const before = cutOf(all.toSorted(byScore), share) ?? 2
        expect(cutOf(worse.toSorted(byScore), share) ?? 2).toBeGreaterThanOrEqual(before)
      }),
    )
  })

  test('a window holds the last of the evidence and cuts as if sorted anew', () => {
    fc.assert(
      fc.property(
        fc.array(evidence, { minLength: 150, maxLength: 400 }),
        fc.integer({ min: 100, max: 180 }),
        allowed,
        (all, size, share) => {
          const window = new EvidenceWindow(size)
          for (const one of all) window.add(one)
          const last = all.slice(-size)
          expect(window.oldestFirst).toEqual(last)
          expect(window.length).toBe(last.length)
          expect(window.cut(share)).toBe(cutOf(last.toSorted(byScore), share))
        },
      ),
    )
  })

  test('one unlucky audit of the least weight does not shut the sound samplings down', () => {
    const pool = (count: number): readonly Evidence[] => many(count, right(0.95))
    expect(cutOf([wrong(0.95, 1 / 0.08), ...pool(8_000)].toSorted(byScore), 0.01)).toBe(0.95)
    expect(cutOf([wrong(0.95, 1 / 0.04), ...pool(4_000)].toSorted(byScore), 0.01)).toBeUndefined()
  })
})
