import { expect, test } from 'vitest'
import { leakCheck, type Snapshot } from '../src/faults/cancellation/leaks.ts'

const held = (changes: Partial<Snapshot> = {}): Snapshot => ({
  resources: { TCPServerWrap: 1, Timeout: 1 },
  callsInFlight: 0,
  inFlight: 0,
  warnings: 0,
  heapBytes: 30_000_000,
  ...changes,
})

test('nothing more than before is no leak, and less is none', () => {
  expect(leakCheck(held(), held({ resources: { TCPServerWrap: 1 }, heapBytes: 29_000_000 }), 10_000).leaks).toEqual([])
})

test.each<[string, Partial<Snapshot>]>([
  ['TCPSocketWrap: 0 -> 2', { resources: { TCPServerWrap: 1, TCPSocketWrap: 2 } }],
  ['Timeout: 1 -> 2', { resources: { Timeout: 2 } }],
  ['calls in flight: 0 -> 1', { callsInFlight: 1 }],
  ['attempts in flight: 0 -> 1', { inFlight: 1 }],
  ['warnings: 0 -> 1', { warnings: 1 }],
  ['heap: 400 bytes an abort', { heapBytes: 34_000_000 }],
])('%s', (leak, after) => {
  expect(leakCheck(held(), held(after), 10_000).leaks).toEqual([leak])
})

test('what was in flight before is a leak already', () => {
  expect(leakCheck(held({ callsInFlight: 1 }), held({ callsInFlight: 1 }), 10).leaks).toEqual(['calls in flight: 0 -> 1'])
})
