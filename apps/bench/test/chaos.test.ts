import { describe, expect, test } from 'vitest'
import { faultSpan } from '../src/faults/chaos/chaos.ts'
import { hasContent, type Sample } from '../src/faults/chaos/client.ts'
import { dueBy, openLoop } from '../src/faults/chaos/open-loop.ts'
import { type ChaosRun, isToldCut, type StateChange, summarize } from '../src/faults/chaos/summary.ts'

const FAULT_AT = 10_000
const FAULT_END = 20_000

const sample = (changes: Partial<Sample> = {}): Sample => ({
  at: FAULT_AT + 1,
  stream: false,
  firstMs: 50,
  seen: 'ok',
  detail: '',
  attempts: 1,
  content: false,
  ...changes,
})

const change = (at: number, from: StateChange['from'], to: StateChange['to']): StateChange => ({ at, from, to, reason: '' })

/** One request each 10 ms in these spans. */
const each10 = (...spans: readonly (readonly [from: number, to: number])[]): readonly number[] =>
  spans.flatMap(([from, to]) => Array.from({ length: (to - from) / 10 }, (_, index) => from + index * 10))

/** A run of 300 requests a second over three targets, of which one is ejected at once and back a second after the fault. */
const run = (changes: Partial<ChaosRun> = {}): ChaosRun => ({
  fault: '500',
  target: 'a',
  targets: 3,
  rate: 300,
  faultAt: FAULT_AT,
  faultEndAt: FAULT_END,
  samples: [sample()],
  arrivals: each10([0, FAULT_AT + 100], [FAULT_END + 1_000, FAULT_END + 5_000]),
  history: [change(FAULT_END + 1_000, 'ejected', 'recovering'), change(FAULT_AT + 100, 'healthy', 'ejected')],
  ...changes,
})

describe('success', () => {
  test('is a share of the requests that were not cut after content; everything else counts against it', () => {
    const ok = Array.from({ length: 7 }, () => sample())
    const row = summarize(
      run({
        samples: [
          ...ok,
          sample({ stream: true, seen: 'error-event-mid-stream', content: true, detail: 'upstream_truncated' }),
          sample({ stream: true, seen: 'error-event-mid-stream', content: false, detail: 'x' }),
          sample({ seen: 'error-status', detail: '502 x' }),
          sample({ seen: 'error-status', detail: '502 x' }),
          sample({ seen: 'hung', attempts: undefined }),
          sample({ stream: true, seen: 'silent-truncation', content: true }),
        ],
      }),
    )
    expect(row.requests).toBe(13)
    expect(row.succeededPercent).toBeCloseTo((100 * 7) / 12, 9)
    expect(row.toldCuts).toBe(1)
    expect(row.silentTruncations).toBe(1)
    expect(row.failures).toEqual({
      'error-event-mid-stream x': 1,
      'error-status 502 x': 2,
      hung: 1,
      'silent-truncation': 1,
    })
    expect(row.missed).toEqual(['success', 'silent cuts'])
  })

  test('an error event is a cut that was told only after content', () => {
    expect(isToldCut({ seen: 'error-event-mid-stream', content: true })).toBe(true)
    expect(isToldCut({ seen: 'error-event-mid-stream', content: false })).toBe(false)
    expect(isToldCut({ seen: 'silent-truncation', content: true })).toBe(false)
  })
})

test('latency is that of the fault, of what succeeded, less that before it', () => {
  const row = summarize(
    run({
      samples: [
        sample({ at: 1, firstMs: 40 }),
        sample({ at: 2, firstMs: 60 }),
        sample({ at: FAULT_AT, firstMs: 150 }),
        sample({ at: FAULT_AT + 1, firstMs: 9_000, seen: 'error-status' }),
        sample({ at: FAULT_END, firstMs: 900 }),
      ],
    }),
  )
  expect([row.p50Ms, row.addedP50Ms]).toEqual([50, 100])
})

describe('ejection', () => {
  test('is the first change of the fault, by the word of health', () => {
    expect(summarize(run())).toMatchObject({ ejectedMs: 100, ejectedBy: 'health', outBefore: false, missed: [] })
  })

  test.each([
    ['later than two seconds', [change(FAULT_AT + 2_001, 'healthy', 'ejected')]],
    ['only after the fault', [change(FAULT_END + 1, 'healthy', 'ejected')]],
  ])('misses its target where it comes %s', (_name, history) => {
    expect(summarize(run({ history, arrivals: each10([0, 30_000]) })).missed).toEqual(['ejection'])
  })

  test('is seen by the traffic where health does not eject', () => {
    const history = [change(FAULT_AT + 50, 'healthy', 'degraded')]
    const row = summarize(run({ history, arrivals: each10([0, FAULT_AT + 500], [FAULT_END, 30_000]) }))
    // From then on a tenth of its share is left within a second: ten requests of a hundred.
    expect(row).toMatchObject({ ejectedBy: 'traffic', ejectedMs: 390 })
  })

  test('is not claimed for a target that saw nothing at all, since it was stopped', () => {
    const row = summarize(run({ history: [], arrivals: each10([0, FAULT_AT], [FAULT_END, 30_000]) }))
    expect(row).toMatchObject({ ejectedMs: undefined, missed: ['ejection'] })
  })

  test('of before the fault says nothing of it', () => {
    const row = summarize(run({ history: [change(FAULT_AT - 1, 'healthy', 'ejected')] }))
    expect(row).toMatchObject({ outBefore: true, ejectedMs: undefined, missed: [] })
  })
})

describe('recovery', () => {
  test('is the first request after health let it back, and half a share within a second', () => {
    const arrivals = each10([0, FAULT_AT], [FAULT_END, FAULT_END + 50], [FAULT_END + 3_000, FAULT_END + 5_000])
    const slow = Array.from({ length: 10 }, (_, index) => FAULT_END + 1_000 + index * 200)
    const all = [...arrivals, ...slow].sort((a, b) => a - b)
    expect(summarize(run({ arrivals: all }))).toMatchObject({ recoveredMs: 1_000, endState: 'recovering' })
    const { halfShareMs = Number.NaN } = summarize(run({ arrivals: all }))
    expect(halfShareMs).toBeGreaterThanOrEqual(2_400)
    expect(halfShareMs).toBeLessThanOrEqual(3_000)
  })

  test('is not claimed while health leaves it out', () => {
    const history = [change(FAULT_AT + 100, 'healthy', 'ejected')]
    const row = summarize(run({ history, arrivals: each10([0, 30_000]) }))
    expect(row).toMatchObject({ recoveredMs: undefined, halfShareMs: undefined, endState: 'ejected' })
  })
})

test('attempts are counted by the gateway, and once where it said nothing', () => {
  const samples = [sample({ attempts: 3 }), sample({ attempts: undefined }), sample({ attempts: Number.NaN })]
  const row = summarize(run({ samples }))
  expect(row.attemptsPerRequest).toBeCloseTo(5 / 3, 9)
  expect(row.missed).toEqual(['attempts'])
})

test('content is told from a role and from an error', () => {
  expect(hasContent('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')).toBe(false)
  expect(hasContent('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')).toBe(true)
  expect(hasContent('data: {"error":{"message":"no"}}\n\n')).toBe(false)
})

test('a load is due from the start on, and never stops for replies', async () => {
  expect([dueBy(0, 500), dueBy(1.9, 500), dueBy(2, 500), dueBy(1_000, 500)]).toEqual([1, 1, 2, 501])
  const dues: number[] = []
  const replies = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const sent = await openLoop({ rate: 500, seconds: 0.01 }, (due, index) => {
    dues.push(due)
    // Each is answered by the last one alone: a load that waited for a reply would never end.
    if (index === 4) for (const [at, { resolve }] of replies.entries()) resolve(at)
    return (replies[index] as PromiseWithResolvers<number>).promise
  })
  expect(sent).toEqual([0, 1, 2, 3, 4])
  expect(dues.map((due) => Math.round(due - (dues[0] as number)))).toEqual([0, 2, 4, 6, 8])
})

test('a fault begins after a fault-free part and ends before the run', () => {
  expect(faultSpan(60)).toEqual({ from: 5, to: 24 })
  expect(faultSpan(10)).toEqual({ from: 2.5, to: 5.5 })
})
