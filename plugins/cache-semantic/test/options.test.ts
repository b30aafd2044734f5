import { describe, expect, test } from 'vitest'
import { cacheSemanticOptions } from '../src/options.ts'
import { settled } from '../src/policy/judgement.ts'
import { samplingFor } from '../src/policy/sampling.ts'

describe('options', () => {
  test('refuses what is unknown or out of range', () => {
    for (const wrong of [
      { epsilom: 0.1 },
      { epsilon: 1 },
      { epsilon: -0.1 },
      { auditFloor: 0 },
      { judgeShare: 0 },
      { minSimilarity: 2 },
    ])
      expect(cacheSemanticOptions.safeParse(wrong).success).toBe(false)
  })

  test('nought is nought, and the sampling follows the bound unless it is given', () => {
    expect(cacheSemanticOptions.parse({ epsilon: 0 })).toMatchObject({ epsilon: 0 })
    expect(cacheSemanticOptions.parse({})).toMatchObject({ epsilon: 0.01, auditFloor: 0.08, window: 8_000 })
    expect(cacheSemanticOptions.parse({ epsilon: 0.03 })).toMatchObject({ auditFloor: 0.04, window: 4_000 })
    expect(cacheSemanticOptions.parse({ epsilon: 0.03, window: 500 })).toMatchObject({ auditFloor: 0.04, window: 500 })
  })
})

describe('sampling', () => {
  test('one failed audit never shuts the level down', () => {
    for (const epsilon of [0.000_5, 0.001, 0.004, 0.005, 0.01, 0.02, 0.03, 0.1]) {
      const { auditFloor, window } = samplingFor(epsilon)
      expect(auditFloor).toBeLessThanOrEqual(1)
      if (auditFloor < 1) expect(2.84 / auditFloor).toBeLessThan(epsilon * window)
    }
  })
})

describe('a judge', () => {
  test('a yes counts at once, a no when said twice, and two that differ are no label', () => {
    expect(settled(true, undefined)).toBe(true)
    expect(settled(false, undefined)).toBe(false)
    expect(settled(false, false)).toBe(false)
    expect(settled(false, true)).toBeUndefined()
  })
})
