import type { Decision, Trace } from '@switchyard/contract'
import { expect, test } from 'vitest'
import { traceHeader } from '../src/routes/trace-header.ts'

function trace(decisions: readonly Decision[], measures: [string, number][] = []): Trace {
  return { decide: () => {}, measure: () => {}, decisions, measures: new Map(measures) }
}

test('what a header cannot hold is written in ASCII', () => {
  const decisions = [{ by: 'a', decision: 'größer\n🙂', because: { text: '"\r\n' } }]
  const text = traceHeader(trace(decisions, [['waitMs', 1.5]]))
  expect(text).toMatch(/^[ -~]+$/)
  expect(JSON.parse(text)).toEqual({ decisions, measures: { waitMs: 1.5 } })
})

test('a trace without end is cut, and says so', () => {
  const decisions = Array.from({ length: 500 }, (_, at) => ({ by: 'a', decision: 'x'.repeat(100), because: { at } }))
  const text = traceHeader(trace(decisions))
  expect(text.length).toBeLessThanOrEqual(8_192)
  const { decisions: kept, left_out: leftOut } = JSON.parse(text)
  expect(kept.length).toBeGreaterThan(40)
  expect(kept.length + leftOut).toBe(500)
  expect(kept.at(-1).because.at).toBe(kept.length - 1)
})

test('also where a single decision, or the measures, are too long', () => {
  const long = { by: 'a', decision: 'x'.repeat(9_000) }
  expect(JSON.parse(traceHeader(trace([long], [['one', 1]])))).toEqual({ decisions: [], measures: { one: 1 }, left_out: 1 })
  const many = Array.from({ length: 900 }, (_, at): [string, number] => [`measure${at}`, at])
  expect(JSON.parse(traceHeader(trace([long], many)))).toEqual({ decisions: [], measures: {}, left_out: 1 })
})
