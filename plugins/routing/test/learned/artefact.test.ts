import { describe, expect, test } from 'vitest'
import {
  chooseArm,
  comparableKinds,
  dataHashOf,
  decider,
  estimator,
  fitRouter,
  parseArtefact,
  placeOf,
  posteriorOf,
  type RouterArtefact,
  routerArtefact,
  taskClassOf,
  termsOf,
} from '../../src/learned/index.ts'
import { allRows, world } from '../support/learned-world.ts'

const set = world({ rows: 800 })
const fitted = fitRouter(set, allRows(set))
const make = (target: number, from = fitted, of = set): RouterArtefact =>
  routerArtefact(of, from, target, { createdAt: '2026-01-02T03:04:05.000Z', dataHash: dataHashOf(of) })
const artefact = make(0.98)
const copy = (): RouterArtefact => JSON.parse(JSON.stringify(artefact)) as RouterArtefact

describe('an artefact', () => {
  test('decides after a round trip as the fit does', () => {
    const decide = decider(parseArtefact(copy()))
    const estimate = estimator(fitted.posterior)
    const rule = { policy: artefact.calibration.policy, reference: fitted.table.reference, leastEvidence: fitted.leastEvidence }
    const chosen = new Set<string>()
    for (const { prompt } of set.rows.slice(0, 100)) {
      const wanted = chooseArm(rule, estimate(termsOf(prompt), 20), placeOf(prompt))
      const { arm, expectedQuality, expectedCost } = decide({ prompt, inputTokens: 20 })
      expect(arm).toEqual(artefact.arms[wanted.arm])
      expect(expectedQuality).toBeGreaterThanOrEqual(-0.2)
      expect(expectedCost).toBeGreaterThan(0)
      chosen.add(arm.id)
    }
    expect(chosen.size).toBeGreaterThan(1)
  })

  test.each([
    [null, /no router artefact/],
    [{ schema: 'switchyard.router/9' }, /format switchyard\.router\/1 .*route fit/],
    [{ ...copy(), createdAt: 'yesterday' }, /wrong at createdAt/],
    [{ ...copy(), dataHash: 'ff' }, /wrong at dataHash/],
    [{ ...copy(), arms: [] }, /wrong at arms/],
    [{ ...copy(), extra: 1 }, /router artefact is wrong/],
    [{ ...copy(), index: { ...copy().index, idf: { type: 'f32', data: '!' } } }, /wrong at index\.idf\.data/],
  ])('that is damaged is refused by name: %#', (json, message) => {
    expect(() => parseArtefact(json)).toThrow(message)
  })

  test.each([
    ['rows', { index: { ...copy().index, rows: 3 } }],
    ['postings', { index: { ...copy().index, postingRows: copy().index.starts } }],
    ['arms', { arms: copy().arms.slice(0, 2) }],
    ['reference', { reference: 'other' }],
    ['means', { posterior: { ...copy().posterior, meanQuality: { type: 'f64' as const, data: '' } } }],
    ['type', { index: { ...copy().index, idf: { type: 'f64' as const, data: copy().index.idf.data } } }],
  ])('whose %s do not fit is refused before it is used', (_, change) => {
    expect(() => posteriorOf({ ...copy(), ...change })).toThrow(/do not fit each other|bytes are no/)
  })
})

describe('a decision', () => {
  test('takes the reference and says so where a prompt is like nothing seen', () => {
    const decision = decider(artefact)({ prompt: 'Zyxwv utsrq ponml' })
    expect(decision).toMatchObject({ arm: { id: 'strong' }, thin: true, lowerBound: 1 })
    expect(decision.reasons[0]).toMatch(/evidence is thin/)
  })

  test('takes the reference and says so where nothing else is certified', () => {
    const few = world({ rows: 30 })
    const decision = decider(make(0.98, fitRouter(few, allRows(few)), few))({ prompt: set.rows[0]?.prompt ?? '' })
    expect(decision).toMatchObject({ arm: { id: 'strong' }, thin: true })
    expect(decision.reasons[0]).toMatch(/nothing cheaper is certified at 98 % by 30 rows/)
  })

  test('is no cascade where answers cannot be compared', () => {
    const labels = world({ rows: 800, answer: 'label', cheap: [0.8, 0.8] })
    const decide = decider(make(0.99, fitRouter(labels, allRows(labels)), labels))
    const prompt = labels.rows[1]?.prompt ?? ''
    expect(decide({ prompt, shape: { answer: 'label' } }).arm.check).toBe('agree')
    for (const shape of [undefined, {}, { answer: 'label', n: 2 }, { answer: 'label', stream: true }, { tools: true }] as const)
      expect(decide({ prompt, ...(shape && { shape }) })).toMatchObject({ arm: { id: 'strong' }, thin: false })
  })

  test('leaves a share of prompts to the reference, the same prompts each time', () => {
    const rule = { policy: { kind: 'arm', lambda: 0, arm: 1, share: 0.5 }, reference: 0, leastEvidence: 1 } as const
    const estimate = { quality: new Float64Array(2), cost: new Float64Array(2), evidence: 2 }
    expect(chooseArm(rule, estimate, 0.4)).toEqual({ arm: 1, reason: 'policy' })
    expect(chooseArm(rule, estimate, 0.6)).toEqual({ arm: 0, reason: 'share' })
    expect(chooseArm(rule, { ...estimate, evidence: 0 }, 0.4)).toEqual({ arm: 0, reason: 'thin' })
    expect(placeOf('one prompt')).toBe(placeOf('one prompt'))
  })
})

test('the task class says which checks are legal', () => {
  expect(
    [{}, { tools: true }, { jsonSchema: true }, { answer: 'number' as const }, { answer: 'label' as const }].map(taskClassOf),
  ).toEqual(['chat', 'tools', 'schema', 'number', 'label'])
  expect(comparableKinds({ tools: true })).toEqual(['call'])
  for (const barred of [{ n: 2 }, { logprobs: true }, { hostedTools: true }, { stream: true }])
    expect(comparableKinds({ tools: true, ...barred })).toEqual([])
})
