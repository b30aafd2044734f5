import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addSample, emptyWindow, sampleWindow, tally } from '../src/sample-window.ts'

const SPAN_MS = 400
const BUCKET_MS = 10

test('any samples at any times are counted as adding up everything does', () => {
  const sample = fc.record({
    ms: fc.oneof(fc.nat(15), fc.nat(900)),
    good: fc.boolean(),
    spanMs: fc.constantFrom(10, 50, 100, 400),
  })
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 100 }), (samples) => {
      const window = sampleWindow(SPAN_MS)
      const all: { readonly at: number; readonly good: boolean }[] = []
      let now = 0
      for (const { ms, good, spanMs } of samples) {
        now += ms
        addSample(window, now, good)
        all.push({ at: now, good })
        const from = (span: number): number => (Math.floor(now / BUCKET_MS) - span / BUCKET_MS + 1) * BUCKET_MS
        const within = (span: number) => {
          const kept = all.filter(({ at }) => at >= from(span))
          return { good: kept.filter((one) => one.good).length, bad: kept.filter((one) => !one.good).length }
        }
        expect(tally(window, now, spanMs)).toEqual(within(spanMs))
        expect(tally(window, now)).toEqual(within(SPAN_MS))
      }
    }),
    { numRuns: 300 },
  )
})

test('idle time empties it, and so does being told to', () => {
  const window = sampleWindow(SPAN_MS)
  for (let at = 0; at < 20; at += 1) addSample(window, at, false)
  expect(tally(window, 405)).toEqual({ good: 0, bad: 10 })
  expect(tally(window, 800)).toEqual({ good: 0, bad: 0 })
  addSample(window, 800, true)
  emptyWindow(window)
  expect(tally(window, 800)).toEqual({ good: 0, bad: 0 })
})
