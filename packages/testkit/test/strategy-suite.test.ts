import type { Strategy } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, judgeMutants, runSuite, type Subject, strategySuite } from '../src/index.ts'

const subjectOf = (instance: Strategy): Subject<Strategy> => ({
  name: 'a plain strategy',
  async open() {
    return { instance, now: () => 0, advance: async () => {}, fixture: undefined, close: async () => {} }
  },
})
const byCost: Strategy = {
  capabilities: { costs: true },
  rank: (_call, candidates) =>
    candidates.toSorted(
      (a, b) =>
        (a.expectedCost ?? Number.MAX_VALUE) - (b.expectedCost ?? Number.MAX_VALUE) ||
        (a.target.deployment < b.target.deployment ? -1 : 1),
    ),
}

describe('a strategy by cost', () => conformance(strategySuite, subjectOf(byCost), test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(strategySuite, subjectOf(byCost))
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})

test('one that needs no costs passes as well', async () => {
  const listed: Strategy = { capabilities: { costs: false }, rank: (_call, candidates) => candidates }
  expect((await runSuite(strategySuite, subjectOf(listed))).failed).toBe(0)
})
