import { expect, test } from 'vitest'
import { quietTrace } from '../src/index.ts'

test('a quiet trace keeps decisions in order and adds up measures', () => {
  const trace = quietTrace()
  trace.decide('cache', 'miss')
  trace.decide('cache', 'hit', { level: 'l1' })
  trace.measure('cacheMs', 1)
  trace.measure('cacheMs', 2)
  expect(trace.decisions).toEqual([
    { by: 'cache', decision: 'miss' },
    { by: 'cache', decision: 'hit', because: { level: 'l1' } },
  ])
  expect(trace.measures).toEqual(new Map([['cacheMs', 3]]))
})
