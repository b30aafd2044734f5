import type { Flights } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, flightsSuite, judgeMutants, type Subject, virtualClock } from '../src/index.ts'
import { plainFlights } from './support/plain-flights.ts'

const subject: Subject<Flights> = {
  name: 'plain flights',
  async open() {
    const { now, advance } = virtualClock()
    return { instance: plainFlights(), now, advance, fixture: undefined, close: async () => {} }
  },
}

describe('plain flights', () => conformance(flightsSuite, subject, test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(flightsSuite, subject)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
