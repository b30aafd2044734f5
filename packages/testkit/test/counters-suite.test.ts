import type { Counters } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, countersSuite, judgeMutants, runSuite, type Subject, virtualClock } from '../src/index.ts'
import { plainCounters } from './support/plain-counters.ts'

/** `fastMs`: by how much the counters' own clock is ahead, which the suite must find. */
function subject(fastMs = 0): Subject<Counters> {
  return {
    name: 'plain counters',
    async open() {
      const clock = virtualClock()
      const { now, advance } = clock
      return { instance: plainCounters(() => now() + fastMs), now, advance, fixture: undefined, close: async () => {} }
    },
  }
}

describe('plain counters', () => conformance(countersSuite, subject(), test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(countersSuite, subject())
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})

test.each([
  ['counters.reserve.lease-holds-until-expiry', 1],
  ['counters.reserve.window-holds-until-expiry', 1],
  ['counters.reserve.lease-expiry-gives-back', -1],
  ['counters.reserve.window-resets', -1],
])('%s finds a clock that is off by %i ms', async (id, fastMs) => {
  const { cases } = await runSuite(countersSuite, subject(fastMs), { only: [id] })
  expect(cases[0]).toMatchObject({ status: 'failed', error: { during: 'check' } })
})
