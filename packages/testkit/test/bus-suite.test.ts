import type { Bus } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { busSuite, conformance, judgeMutants, type Subject, virtualClock } from '../src/index.ts'
import { plainBus } from './support/plain-bus.ts'

const subject: Subject<Bus> = {
  name: 'plain bus',
  async open() {
    const { now, advance } = virtualClock()
    return { instance: plainBus(), now, advance, fixture: undefined, close: async () => {} }
  },
}

describe('plain bus', () => conformance(busSuite, subject, test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(busSuite, subject)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
