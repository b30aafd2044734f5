import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { ask } from '../src/budget/ask.ts'
import { missedBy } from '../src/budget/bench.ts'
import { type Books, compare } from '../src/budget/books.ts'
import { judge } from '../src/budget/judge.ts'
import { drawCall, generatedAt, type LoadCall } from '../src/budget/load.ts'
import { billedPico } from '../src/budget/price.ts'
import type { BudgetRun } from '../src/budget/run.ts'
import { startTallyingUpstream, type TallyingUpstream } from '../src/budget/upstream.ts'
import { reconcile } from '../src/kill/reconcile.ts'
import { seeded } from '../src/simulate/seeded.ts'

const CALL: LoadCall = {
  id: '0-0-1',
  inputTokens: 400,
  maxTokens: 512,
  outputTokens: 100,
  ms: 90,
  leavesAt: undefined,
  settledTwice: false,
}

describe('a judgement', () => {
  const LIMIT = 1_000n
  const bill = (startedAt: number, endedAt: number | undefined, pico: bigint, wholePico = pico) => ({
    startedAt,
    endedAt,
    pico,
    wholePico,
  })

  test('counts what was billed beyond the limit, and nothing below it', () => {
    expect(judge([bill(0, 1, 500n), bill(0, 2, 750n)], [], LIMIT)).toMatchObject({ billedPercent: 125, overshootPercent: 25 })
    expect(judge([bill(0, 1, 1_000n)], [], LIMIT)).toMatchObject({ billedPercent: 100, overshootPercent: 0 })
  })

  test('a refusal is a phantom where a tenth of the limit is neither spent nor in flight', () => {
    const bills = [bill(0, 10, 500n), bill(5, 20, 100n, 400n)]
    expect(judge(bills, [4, 6, 11, 21], LIMIT)).toMatchObject({ refusals: 4, phantoms: 4, firstRefusalPercent: 0 })
    expect(judge([bill(0, 10, 500n), bill(5, 20, 100n, 401n)], [6, 11], LIMIT)).toMatchObject({ phantoms: 0 })
    expect(judge(bills, [12], LIMIT).firstRefusalPercent).toBe(50)
  })

  test('what ends at the moment of a refusal has ended', () => {
    expect(judge([bill(0, 10, 950n)], [10], LIMIT)).toMatchObject({ firstRefusalPercent: 95, phantoms: 0 })
  })

  test('nothing at all is nothing', () => {
    expect(judge([], [], LIMIT)).toMatchObject({ calls: 0, billedPercent: 0, firstRefusalPercent: undefined })
  })
})

describe('the load', () => {
  test('no call has more tokens than it asks for, and none comes before its time', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 3_000, noNaN: true }), (seed, ms) => {
        const call = drawCall('a', seeded(seed), { cancels: 0.5, duplicates: 0.5 })
        expect(call.outputTokens).toBeLessThanOrEqual(call.maxTokens)
        expect(call.leavesAt ?? 1).toBeLessThanOrEqual(call.outputTokens)
        expect(generatedAt(call, ms)).toBeLessThanOrEqual(call.leavesAt ?? call.outputTokens)
        expect(generatedAt(call, ms)).toBeGreaterThanOrEqual(generatedAt(call, ms / 2))
        expect(generatedAt(call, call.ms)).toBe(call.leavesAt ?? call.outputTokens)
      }),
    )
  })

  test('as many leave as are told to', () => {
    const random = seeded(1)
    const calls = Array.from({ length: 2_000 }, (_, index) => drawCall(`${index}`, random, { cancels: 0.1, duplicates: 0 }))
    expect(calls.filter(({ leavesAt }) => leavesAt !== undefined).length / calls.length).toBeCloseTo(0.1, 1)
    expect(calls.some(({ settledTwice }) => settledTwice)).toBe(false)
  })
})

describe('the tallying upstream', () => {
  let upstream: TallyingUpstream
  afterEach(() => upstream.close())

  test('bills a whole reply in full', async () => {
    upstream = await startTallyingUpstream()
    let tokens = 0
    const { ended } = await ask(upstream.url, CALL, new AbortController().signal, (count) => {
      tokens = count
    })
    expect(await ended).toBe(true)
    expect(tokens).toBe(100)
    expect(upstream.bills).toMatchObject([{ how: 'whole', pico: billedPico(400, 100) }])
    expect(upstream.billedPico).toBe(400n * 2_500_000n + 100n * 10_000_000n)
  })

  test('bills who leaves for what was sent until then', async () => {
    upstream = await startTallyingUpstream()
    const controller = new AbortController()
    const { ended } = await ask(upstream.url, { ...CALL, leavesAt: 40 }, controller.signal, (count) => {
      if (count >= 40) controller.abort()
    })
    await expect(ended).rejects.toThrow()
    await expect.poll(() => upstream.running).toBe(0)
    expect(upstream.bills).toMatchObject([{ how: 'cut', outputTokens: 40, pico: billedPico(400, 40) }])
  })
})

describe('books beside bills', () => {
  const books = (rows: Readonly<Record<string, readonly [bigint, ...string[]]>>): Books => ({
    chargedNano: Object.values(rows).reduce((sum, [nano]) => sum + nano, 0n),
    byCall: new Map(Object.entries(rows).map(([id, [nano, ...kinds]]) => [id, { nano, kinds }])),
  })
  const SUMS = { '{bench}:b:team@1:total:blue': '12' }

  test('a bill without a row, a row without a bill and another amount are wrong; an expectation is not', () => {
    const kept = books({
      right: [1n, 'attempt'],
      off: [2n, 'attempt'],
      unbilled: [3n, 'attempt'],
      cut: [4n, 'unsettled'],
      unsent: [2n, 'unsettled'],
    })
    const bills = [
      { id: 'right', pico: 1_000n },
      { id: 'off', pico: 2_001n },
      { id: 'cut', pico: 9_000n },
      { id: 'missing', pico: 1n },
    ]
    expect(compare(kept, bills, 100_000n, SUMS)).toMatchObject({
      wrongRows: 3,
      unsettled: 2,
      neverSent: 1,
      unsettledBeyondPercent: 3,
      leftNano: 0n,
      chargedPercent: 12,
    })
    const { differences, unsettled, neverSent } = reconcile(kept, bills, '')
    expect([differences.length, unsettled, neverSent]).toEqual([3, 2, 1])
  })

  test('a call that was billed twice owes both, and two rows of one call are told', () => {
    const twice = [
      { id: 'a', pico: 1_000n },
      { id: 'a', pico: 1_000n },
    ]
    expect(reconcile(books({ a: [1n, 'attempt'] }), twice, '').differences).toHaveLength(1)
    expect(reconcile(books({ a: [2n, 'attempt', 'attempt'] }), twice, '').differences).toEqual([
      'a has 2 rows: attempt, attempt',
    ])
  })

  test('calls of other processes are left out', () => {
    const found = reconcile(
      books({ '0-1-1': [1n, 'attempt'], '0-2-1': [7n, 'attempt'] }),
      [{ id: '0-1-1', pico: 1_000n }],
      '0-1-',
    )
    expect(found).toMatchObject({ billed: 1, billedNano: 1n, chargedNano: 1n, differences: [] })
  })
})

test('a run misses by every measure that it misses', () => {
  const met = {
    scenario: 's',
    scheme: 'worst',
    overshootPercent: 0,
    phantoms: 0,
    refusals: 9,
    billedPercent: 97,
    leftNano: 0n,
    wrongRows: 0,
    failures: {},
  } as unknown as BudgetRun
  expect(missedBy(met)).toEqual([])
  const missed = { overshootPercent: 1, phantoms: 1, billedPercent: 95.9, leftNano: -1n, wrongRows: 1, failures: { why: 2 } }
  expect(missedBy({ ...met, ...missed })).toHaveLength(6)
})
