import { describe, expect, test } from 'vitest'
import { judgeStream, judgeWhole } from '../src/faults/client.ts'
import { median, percentile } from '../src/measure/statistics.ts'
import { table } from '../src/measure/table.ts'

describe('judgeStream', () => {
  test.each([
    ['data: {"choices":[]}\n\ndata: [DONE]\n\n', 'ok'],
    ['data: {"choices":[]}\r\n\r\ndata: [DONE]\r\n\r\n', 'ok'],
    ['data: {"choices":[]}\r\rdata: [DONE]\r\r', 'ok'],
    ['data: {"choices":[]}\r\n\r\n\ndata: [DONE]\r\n\r', 'ok'],
    ['data: {"choices":[]}\r\n\r\n', 'silent-truncation'],
    ['data: {"choices":[]}\n\n', 'silent-truncation'],
    ['', 'silent-truncation'],
    ['data: {"choices":[]}\n\ndata: {"error":{"code":"upstream_truncated"}}\n\n', 'error-event-mid-stream'],
    ['data: {"error":{"code":"x"}}\n\ndata: [DONE]\n\n', 'error-event-mid-stream'],
  ])('%j -> %s', (text, seen) => {
    expect(judgeStream(text).seen).toBe(seen)
  })
})

test.each([
  ['{"choices":[]}', 'ok'],
  ['{"choices":', 'silent-truncation'],
  ['{"error":{}}', 'silent-truncation'],
  ['<html>', 'silent-truncation'],
])('judgeWhole %j -> %s', (text, seen) => {
  expect(judgeWhole(text).seen).toBe(seen)
})

test('percentiles interpolate', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(percentile([0, 100], 99)).toBe(99)
  expect(percentile([], 50)).toBeNaN()
})

test('a table aligns numbers to the right', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['a', 1.234],
        ['bb', 1234],
        ['c', undefined],
      ],
    ),
  ).toBe('name     n\na     1.23\nbb    1234\nc        -')
})
