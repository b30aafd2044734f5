import { describe, expect, test } from 'vitest'
import {
  auditPairs,
  bestThresholds,
  byMargin,
  ceilingOf,
  countedOver,
  evaluateSet,
  HASHED_ENCODER,
  hindsightRows,
  lookUpPairs,
  prepare,
  ratesOf,
  replayFleet,
  replayThreshold,
  seeded,
  workload,
} from '../src/evaluate/index.ts'
import { topics } from './support/topics.ts'

const quiet = (): void => undefined

describe('rates', () => {
  test('are nought of nothing, never NaN', () => {
    expect(ratesOf(countedOver(0).all)).toEqual({ hitRate: 0, errorOfAll: 0, errorOfHits: 0, auditShare: 0, judgeShare: 0 })
    expect(ceilingOf([])).toBe(0)
  })

  test('errors are of all and of hits, the ceiling what an oracle would hit', () => {
    const { all, last, count } = countedOver(4)
    for (const at of [0, 1, 2, 3]) count(at, 'requests')
    count(1, 'l1')
    count(3, 'l3')
    count(3, 'wrong')
    expect(ratesOf(all)).toMatchObject({ hitRate: 0.5, errorOfAll: 0.25, errorOfHits: 0.5 })
    expect(ratesOf(last)).toMatchObject({ hitRate: 1, errorOfAll: 1 })
    expect(ceilingOf(['a', 'b', 'a', 'a'])).toBe(0.5)
  })
})

describe('static thresholds', () => {
  test('the best with hindsight keeps its bound, and the next lower on the grid does not', async () => {
    const stream = await topics(700, 3)
    const bounds = [0.02, 0.1]
    const found = bestThresholds(stream, bounds, HASHED_ENCODER.index)
    for (const [at, { threshold, tally }] of found.entries()) {
      expect(tally.wrong / tally.requests).toBeLessThanOrEqual(bounds[at] as number)
      const lower = replayThreshold(stream, threshold - 0.02, HASHED_ENCODER.index())
      expect(lower.wrong / lower.requests).toBeGreaterThan(bounds[at] as number)
    }
  })
})

describe('workload', () => {
  const pools = new Map([
    ['greet', ['hello', 'hi', 'good day']],
    ['leave', ['bye', 'see you', 'farewell']],
  ])
  const options = { requests: 2_000, zipf: 1, canned: 0.5, fresh: 0.1, random: seeded(1) }

  test('has its shares: canned texts verbatim, questions of nobody else once each, the frequent intent twice as often', () => {
    const alone = Array.from({ length: 500 }, (_, at) => `lone ${at}`)
    const rows = workload(pools, alone, options)
    const share = (is: (row: (typeof rows)[number]) => boolean): number => rows.filter(is).length / rows.length
    expect(share(({ text }) => text.startsWith('lone'))).toBeCloseTo(0.1, 1)
    expect(new Set(rows.filter(({ text }) => text.startsWith('lone')).map(({ label }) => label)).size).toBe(
      rows.filter(({ text }) => text.startsWith('lone')).length,
    )
    expect(share(({ text }) => text === 'hello' || text === 'bye')).toBeGreaterThan(0.5)
    expect(share(({ label }) => label === 'greet') / share(({ label }) => label === 'leave')).toBeCloseTo(2, 0)
  })

  test('varies texts once a pool is dry, and changes the answers of drifting intents half-way', () => {
    const rows = workload(pools, [], { ...options, fresh: 0, drift: 1, random: seeded(2) })
    expect(new Set(rows.map(({ text }) => text)).size).toBeGreaterThan(20)
    expect(rows.slice(0, 1_000).every(({ label }) => !label.includes('changed'))).toBe(true)
    expect(rows.slice(1_000).every(({ label }) => label.endsWith(', changed'))).toBe(true)
  })
})

describe('fleet', () => {
  test('an exact repeat is answered by the node or by all, whatever the fuzzy level thinks', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({ text: `question ${at % 2 ? 'a' : 'b'}`, label: `${at % 2}` }))
    const { all } = replayFleet(await prepare(rows, HASHED_ENCODER), {
      epsilon: 0.01,
      random: seeded(1),
      index: HASHED_ENCODER.index(),
      nodes: 4,
      l1Entries: 10,
    })
    expect(all).toMatchObject({ requests: 40, l3: 0, wrong: 0 })
    expect(all.l1 + all.l2).toBe(38)
    expect(all.l2).toBeGreaterThanOrEqual(4)
  })

  test('an exact entry of a text whose answer changed is wrong each time that it is served', async () => {
    const rows = ['one', 'one', 'two', 'two'].map((label) => ({ text: 'what is it', label }))
    const options = { epsilon: 0.01, random: seeded(1), index: HASHED_ENCODER.index(), nodes: 1, l1Entries: 10 }
    expect(replayFleet(await prepare(rows, HASHED_ENCODER), options).all).toMatchObject({ l1: 3, wrong: 2 })
  })
})

describe('a set', () => {
  test('gives hits, errors and the ceiling together, ours beside the static threshold', async () => {
    const streams = [await topics(900, 1), await topics(900, 2)]
    const set = {
      set: 'topics',
      encoder: HASHED_ENCODER,
      epsilon: 0.05,
      streams,
      seed: 1,
      nodes: 1,
      l1Entries: 10_000,
      progress: quiet,
    }
    const row = evaluateSet(set)
    expect(row).toMatchObject({ policy: 'audited', orders: 2, requests: 900, held: true, epsilon: 0.05 })
    expect(row.worstErrorOfAll).toBeGreaterThanOrEqual(row.errorOfAll)
    expect(row.ceiling).toBeGreaterThan(0.9)
    expect(hindsightRows(set, [0.05])).toMatchObject([{ policy: 'static-hindsight', orders: 1, held: true }])
  })
})

describe('pairs', () => {
  const pairs = [
    { origin: 'how do i reset my password', similar: 'how can i reset the password' },
    { origin: 'what is the weather in boston', similar: 'the weather in boston please' },
    { origin: 'what is the weather in boston', similar: 'boston weather' },
    { origin: 'open the pod bay doors', similar: 'what about the weather in boston' },
  ]

  test('a repeated origin is one answer, and another text than the own is wrong', async () => {
    const lookups = await lookUpPairs(pairs, HASHED_ENCODER)
    expect(byMargin(lookups, 0.05, false)).toEqual({ right: 3, wrong: 1, miss: 0 })
    expect(byMargin(lookups, 2, false)).toEqual({ right: 0, wrong: 0, miss: 4 })
  })

  test('the audited policy serves nothing of so few', async () => {
    expect(await auditPairs(pairs, HASHED_ENCODER, { epsilon: 0.01, random: seeded(1) })).toEqual({
      right: 0,
      wrong: 0,
      miss: 4,
    })
  })
})
