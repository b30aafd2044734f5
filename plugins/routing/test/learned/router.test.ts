import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ARM_DEFAULTS,
  type Arm,
  armTable,
  callTokens,
  canonicalAnswer,
  compareStrategies,
  costPico,
  economyRows,
  fitRouter,
  indexOfTerms,
  MACRO,
  medianOf,
  modelsOf,
  parseDatasetSpec,
  parseOutcomes,
  statedHalf,
  termSearch,
  termsOf,
} from '../../src/learned/index.ts'
import { allRows, world } from '../support/learned-world.ts'

const price = { strong: [10e6, 10e6], 'cheap-a': [100_000, 100_000], 'cheap-b': [120_000, 120_000] } as const

describe('arms', () => {
  test('a cascade costs every call it makes, to the pico-dollar, and serves what was agreed or else the reference', () => {
    const set = world({ answer: 'label', rows: 200 })
    const table = armTable(set)
    const checked = table.arms.filter(({ check }) => check !== undefined)
    expect(new Set(checked.map(({ check }) => check))).toEqual(new Set(['agree', 'schema']))
    table.arms.forEach((arm, at) => {
      set.rows.forEach((row, place) => {
        const say = (model: string) => canonicalAnswer('label', row.outcomes.get(model)?.answer)
        const cost = (model: string) =>
          costPico(callTokens(row, row.outcomes.get(model), set.spec), price[model as keyof typeof price])
        const agreed = arm.check !== 'agree' || say(arm.models[0] as string) === say(arm.models[1] as string)
        const called = agreed ? arm.models : modelsOf(arm)
        expect(table.cost[at * table.rows + place]).toBe(called.reduce((sum, model) => sum + cost(model), 0))
        if (!agreed) expect(table.quality[at * table.rows + place]).toBe(row.outcomes.get('strong')?.score)
      })
    })
  })

  test('where answers do not compare there are single models only', () => {
    expect(armTable(world({ answer: null })).arms.every(({ check }) => check === undefined)).toBe(true)
  })

  test('cheap models that cost together more than their share make no cascade', () => {
    const arms = armTable(world({ answer: 'label' }), { ...ARM_DEFAULTS, maxCheapShare: 0.015 }).arms
    expect(arms.some(({ check }) => check === 'agree')).toBe(false)
  })

  test('a model that is missing from a fifth of the rows is no arm; the reference must be there', () => {
    const set = world({ rows: 100 })
    const without = (model: string) => ({
      ...set,
      rows: set.rows.map((row, at) =>
        at % 4 === 0 ? { ...row, outcomes: new Map([...row.outcomes].filter(([name]) => name !== model)) } : row,
      ),
    })
    expect(armTable(without('cheap-a')).arms.map(({ id }: Arm) => id)).toEqual(['strong', 'cheap-b'])
    expect(() => armTable(without('strong'))).toThrow(/reference strong has outcomes on too few rows/)
  })
})

describe('a cascade by hand', () => {
  const price = [100_000, 100_000] as const
  const spec = parseDatasetSpec('hand', {
    answer: 'label',
    reference: 'strong',
    prices: { strong: [10e6, 10e6], a: price, b: price, c: price },
    out: 1,
    cascades: [
      { check: 'agree', cheap: ['c', 'a'] },
      { check: 'unheard-of', cheap: ['a'] },
      { check: 'agree', cheap: ['a', 'missing'] },
    ],
  })
  const line = (said: Readonly<Record<string, string | null>>, right: string): string =>
    JSON.stringify({
      prompt: 'x',
      in: 1,
      m: Object.fromEntries(Object.entries(said).map(([model, label]) => [model, [Number(label === right), 1, label]])),
    })
  const { arms, quality, cost, rows } = armTable(
    parseOutcomes('hand', spec, [
      line({ strong: 'A', a: 'A', b: 'A', c: 'B' }, 'A'),
      line({ strong: 'A', a: 'B', b: 'A', c: 'A' }, 'A'),
      line({ strong: 'A', a: 'B', b: 'C', c: 'D' }, 'A'),
      line({ strong: 'A', a: null, b: null, c: null }, 'A'),
      line({ strong: 'A', a: 'B', b: 'B', c: 'A' }, 'A'),
    ]),
  )
  const column = (values: Float64Array, id: string): readonly number[] => {
    const at = arms.findIndex((arm) => arm.id.startsWith(id))
    return [...values.slice(at * rows, (at + 1) * rows)]
  }
  const [cheap, strong] = [2 * 100_000, 2 * 10e6]

  test('majority asks a third model where two differ, and the reference where it agrees with neither', () => {
    expect(column(quality, 'majority(a, b, c)')).toEqual([1, 1, 1, 1, 0])
    expect(column(cost, 'majority(a, b, c)')).toEqual([2 * cheap, 3 * cheap, 3 * cheap + strong, 3 * cheap + strong, 2 * cheap])
  })

  test('silence is no agreement', () => {
    expect(column(cost, 'agree(c, a)')[3]).toBe(2 * cheap + strong)
    expect(column(cost, 'schema(a)')).toEqual([cheap, cheap, cheap, cheap + strong, cheap])
  })

  test('the cascades of the dataset come first, those that cannot be are left out, and the better record is served', () => {
    const made = arms.filter(({ check }) => check !== undefined)
    expect(made[0]).toMatchObject({ id: 'agree(c, a) -> strong', preferred: ['c', 'a'], fallback: 'strong' })
    expect(made.map(({ id }) => id).join()).not.toMatch(/missing|unheard-of|agree\(a, c\)/)
  })
})

describe('the index', () => {
  test('finds what a search of every row finds', () => {
    const words = fc.array(fc.constantFrom('ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu', 'hen'), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(fc.array(words, { minLength: 12, maxLength: 40 }), words, (texts, asked) => {
        const search = termSearch(indexOfTerms(texts.map((text) => termsOf(text.join(' ')))))
        const query = search.vector(termsOf(asked.join(' ')))
        const dense = (text: readonly string[]) => {
          const { terms, weights } = search.vector(termsOf(text.join(' ')))
          return new Map(terms.map((term, at) => [term, weights[at] as number]))
        }
        const all = texts
          .map((text) =>
            query.terms.reduce((sum, term, at) => sum + (query.weights[at] as number) * (dense(text).get(term) ?? 0), 0),
          )
          .filter((similarity) => similarity > 1e-6)
          .toSorted((a, b) => b - a)
        const found = search.nearest(query, 5).map(({ similarity }) => similarity)
        expect(found.length).toBe(Math.min(5, all.length))
        found.forEach((similarity, at) => void expect(similarity).toBeCloseTo(all[at] as number, 4))
      }),
      { numRuns: 50 },
    )
  })

  test('reads 6,000 characters of a prompt and no more', () => {
    const long = 'word '.repeat(1_200)
    expect(termsOf(`${long}beyond the cap`)).toEqual(termsOf(long))
    expect(termsOf('Straße, ÉTÉ 42!').size).toBeGreaterThan(3)
    expect(termsOf('').size).toBe(0)
  })
})

describe('the promise', () => {
  const learned = (make: Parameters<typeof world>[0], target: number) => {
    const set = world(make)
    const found = compareStrategies(set, statedHalf(set), [target]).find(({ strategy }) => strategy === 'learned')
    return found as NonNullable<typeof found>
  }

  test('a cheap model that is good on one kind of prompt is used there, and saves', () => {
    const { quality, saved, standardError } = learned({ rows: 2_000 }, 0.98)
    expect(quality + standardError).toBeGreaterThan(0.98)
    expect(saved).toBeGreaterThan(0.35)
    expect(saved).toBeLessThan(0.75)
  })

  test('a cheap model as good as the reference takes all', () => {
    const { saved } = learned({ rows: 2_000, cheap: [0.93, 0.93] }, 0.99)
    expect(saved).toBeGreaterThan(0.95)
  })

  test('cheap models that are no good are used for no more than the promise leaves', () => {
    const { quality, saved, calibration } = learned({ rows: 2_000, cheap: [0.1, 0.1] }, 0.99)
    expect(saved).toBeLessThan(0.05)
    expect(quality).toBeGreaterThan(0.97)
    expect(calibration?.lowerBound).toBeGreaterThanOrEqual(0.99 - 1e-9)
  })

  test('over many worlds the promise is seldom missed by more than its error', () => {
    let missed = 0
    for (let seed = 1; seed <= 20; seed += 1) {
      const { quality, standardError } = learned({ rows: 500, seed, cheap: [0.9, 0.5] }, 0.98)
      if (quality + standardError < 0.98) missed += 1
    }
    expect(missed).toBeLessThanOrEqual(3)
  })

  test('agreement is taken where it certifies a weak model', () => {
    const { saved, calibration } = learned({ rows: 2_000, answer: 'label', cheap: [0.85, 0.85] }, 0.99)
    expect(saved).toBeGreaterThan(0.6)
    expect(calibration?.policy.kind).not.toBe('reference')
  })

  test('by few rows nothing is promised but the reference', () => {
    const set = world({ rows: 40 })
    expect(fitRouter(set, allRows(set)).calibrated(0.5)).toMatchObject({
      policy: { kind: 'reference' },
      saved: 0,
      lowerBound: 1,
    })
  })

  test('no lower bound is below its target, and a greater margin never saves more', () => {
    const set = world({ rows: 800 })
    const fitted = fitRouter(set, allRows(set))
    fc.assert(
      fc.property(
        fc.double({ min: 0.8, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (target, margin) => {
          const calibrated = fitted.calibrated(target, margin)
          expect(calibrated.lowerBound).toBeGreaterThanOrEqual(target - 1e-9)
          expect(fitted.calibrated(target, margin + 0.5).saved).toBeLessThanOrEqual(calibrated.saved + 1e-12)
          expect(calibrated.policy.share).toBeGreaterThan(0)
          expect(calibrated.policy.share).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  test('a world where the reference is never right promises nothing', () => {
    const set = world({ rows: 100, strong: 0 })
    expect(fitRouter(set, allRows(set)).calibrated(0.98).policy.kind).toBe('reference')
  })

  test('what is fitted looks at the train half alone', () => {
    const set = world({ rows: 600, answer: 'label' })
    const split = statedHalf(set)
    const rows = set.rows.map((row, at) => {
      if (at % 2 === 0) return row
      const worse = [...row.outcomes].map(
        ([model, one]) => [model, { ...one, score: 0, inTokens: model === 'strong' ? 1 : 1_000_000 }] as const,
      )
      return { ...row, outcomes: new Map(worse) }
    })
    const one = fitRouter(set, split.train).calibrated(0.98)
    expect(fitRouter({ ...set, rows }, split.train).calibrated(0.98)).toEqual(one)
  })

  test('the same seed gives the same fit; only so many rows are learned from', () => {
    const set = world({ rows: 400 })
    const fit = (options: object) => fitRouter(set, allRows(set), options).calibrated(0.97)
    expect(fit({ seed: 3 })).toEqual(fit({ seed: 3 }))
    expect(fit({ maxRows: 100 }).rows).toBeLessThan(150)
  })
})

describe('the summary', () => {
  test('has every strategy at every target, and macro as the mean over sets with the worst quality', () => {
    const one = world({ rows: 300 })
    const two = { ...world({ rows: 300, cheap: [0.2, 0.2] }), name: 'second' }
    const run = [one, two].flatMap((set) => compareStrategies(set, statedHalf(set), [0.9, 1]))
    const rows = economyRows([run, run])
    expect(rows).toHaveLength(2 * 6 * 3)
    for (const row of rows)
      expect(Object.keys(row)).toEqual(['set', 'strategy', 'targetQuality', 'quality', 'saved', 'worstQuality'])
    const learned = rows.filter(({ strategy, targetQuality }) => strategy === 'learned' && targetQuality === 0.9)
    const [first, second, macro] = learned as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]]
    expect(macro).toMatchObject({ set: MACRO, worstQuality: Math.min(first.quality, second.quality) })
    expect(macro.saved).toBeCloseTo((first.saved + second.saved) / 2, 9)
    expect(rows.find(({ strategy }) => strategy === 'always-strong')).toMatchObject({ quality: 1, saved: 0 })
    expect(medianOf([3, 1])).toBe(2)
    expect(medianOf([])).toBeNaN()
  })
})
