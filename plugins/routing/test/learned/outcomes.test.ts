import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  callTokens,
  costPico,
  dataHashOf,
  type Outcome,
  outcomeLines,
  outcomeSetName,
  parseDatasetSpec,
  parseDatasetSpecs,
  parseOutcomes,
  randomHalf,
  statedHalf,
  withTokens,
} from '../../src/learned/index.ts'
import { world } from '../support/learned-world.ts'

const prices = { strong: [10, 20], weak: [1, 2] }
const spec = parseDatasetSpec('set', { reference: 'strong', prices, overhead: 7 })
const one = (outcome: unknown, more: object = {}): Outcome | undefined =>
  parseOutcomes('set', spec, [
    JSON.stringify({ id: 1, prompt: 'four words of text', m: { strong: outcome }, ...more }),
  ]).rows[0]?.outcomes.get('strong')

describe('rows of outcomes', () => {
  test.each([
    [0.5, { score: 0.5 }],
    [true, { score: 1 }],
    [[1], { score: 1 }],
    [[1, 61], { score: 1, outTokens: 61 }],
    [[0, 80, 'D'], { score: 0, outTokens: 80, answer: 'D' }],
    [[0, 80, null], { score: 0, outTokens: 80, answer: undefined }],
    [[1, 'B'], { score: 1, answer: 'B' }],
    [[1, 0, 0, 0, 'f()'], { score: 1, outTokens: undefined, inTokens: undefined, answer: 'f()' }],
    [[1, 24, 399, 0.9, 'f()'], { score: 1, outTokens: 24, inTokens: 399, answer: 'f()' }],
    [
      { score: 1, out: 5, in: 9, answer: '7' },
      { score: 1, outTokens: 5, inTokens: 9, answer: '7' },
    ],
  ])('%j is read', (raw, expected) => {
    expect(one(raw)).toMatchObject(expected)
  })

  test('a model without an outcome is left out of its row', () => {
    expect(one(null)).toBeUndefined()
  })

  test.each([
    ['{', /line 2 is not JSON/],
    ['{"m": {}}', /lacks "prompt"/],
    ['{"prompt": "x"}', /"m"/],
    ['{"prompt": "x", "m": {"strong": [2]}}', /strong has no score/],
    ['{"prompt": "x", "m": {"strong": "good"}}', /strong has no score/],
  ])('%s names file, line and mend', (line, message) => {
    expect(() => parseOutcomes('file', spec, ['', line])).toThrow(message)
  })

  test('an empty file is an error', () => {
    expect(() => parseOutcomes('file', spec, [''])).toThrow(/no rows/)
  })

  test('gzip is told by its bytes, and damage by name', () => {
    expect(outcomeLines('f', gzipSync('a\nb'))).toEqual(['a', 'b'])
    expect(outcomeLines('f', Buffer.from('a\nb'))).toEqual(['a', 'b'])
    expect(() => outcomeLines('f.gz', gzipSync('a\nb').subarray(0, 15))).toThrow(/f\.gz is damaged/)
    expect(['x/a.jsonl.gz', 'b.jsonl', 'c.json', 'a.b.ndjson'].map(outcomeSetName)).toEqual(['a', 'b', undefined, 'a.b'])
  })

  test('a data hash follows every outcome', () => {
    expect(dataHashOf(world({ seed: 1 }))).toBe(dataHashOf(world({ seed: 1 })))
    expect(dataHashOf(world({ seed: 1 }))).not.toBe(dataHashOf(world({ seed: 2 })))
  })
})

describe('dataset entries', () => {
  test('an unknown kind of answer is taken as not comparable; the dearest model stands as reference where none is named', () => {
    expect(parseDatasetSpec('x', { answer: 'poem', prices })).toMatchObject({
      answer: null,
      reference: 'strong',
      overhead: 0,
      cascades: [],
    })
  })

  test.each([
    [[], /one object/],
    [{ x: { reference: 'other', prices } }, /no price of its reference other/],
    [{ x: { prices: { a: [1] } } }, /entry x is wrong at prices\.a/],
    [{ x: { prices: {} } }, /no price/],
    [{ x: {} }, /wrong at prices/],
  ])('%j is refused', (json, message) => {
    expect(() => parseDatasetSpecs(json)).toThrow(message)
  })
})

describe('tokens and cost', () => {
  const row = (m: object, more: object = {}) =>
    parseOutcomes('set', spec, [JSON.stringify({ prompt: 'x'.repeat(38), m, ...more })]).rows[0] as never

  test('reported tokens win; then what the row says; then other models; then an estimate with the overhead', () => {
    const tokens = (m: object, more?: object) => callTokens(row(m, more), one(Object.values(m)[0]), spec)
    expect(tokens({ strong: [1, 24, 399, 0] })).toEqual({ input: 399, output: 24 })
    expect(tokens({ strong: [1, 24] }, { in: 50 })).toEqual({ input: 50, output: 24 })
    expect(tokens({ strong: [1, 0, 0, 0], weak: [1, 30, 200, 0] })).toEqual({ input: 200, output: 30 })
    expect(tokens({ strong: [1] })).toEqual({ input: 10 + 7, output: 200 })
  })

  test('a fixed output of the dataset wins over all', () => {
    const fixed = parseDatasetSpec('set', { reference: 'strong', prices, out: 3 })
    expect(callTokens(row({ strong: [1, 24] }), one([1, 24]), fixed)).toEqual({ input: 10, output: 3 })
  })

  test('tokens written into rows hold by any other entry', () => {
    const fixed = parseDatasetSpec('set', { reference: 'strong', prices, out: 3, overhead: 9 })
    const set = withTokens(parseOutcomes('set', fixed, [JSON.stringify({ prompt: 'x'.repeat(38), m: { strong: [1, 24] } })]))
    const [row] = set.rows
    expect(callTokens(row as never, row?.outcomes.get('strong'), spec)).toEqual({ input: 19, output: 3 })
    expect(set.spec.out).toBeUndefined()
  })

  test('cost is exact and refuses what a number cannot hold', () => {
    expect(costPico({ input: 399, output: 24 }, [3_000_000, 15_000_000])).toBe(1_557_000_000)
    expect(() => costPico({ input: 2 ** 40, output: 0 }, [1e6, 0])).toThrow(RangeError)
  })
})

describe('halves', () => {
  test('are what the rows state, or dealt by prompt where they state none', () => {
    const set = world({ rows: 40 })
    expect(statedHalf(set).train).toEqual(Array.from({ length: 20 }, (_, at) => 2 * at))
    const bare = { ...set, rows: [...set.rows, ...set.rows].map((one) => ({ ...one, split: '' })) }
    const { train, test: held } = statedHalf(bare)
    expect(train.length + held.length).toBe(80)
    for (const place of train) expect(held).not.toContain((place + 40) % 80)
    expect(randomHalf(set, 1)).toEqual(randomHalf(set, 1))
    expect(randomHalf(set, 1)).not.toEqual(randomHalf(set, 2))
  })
})
