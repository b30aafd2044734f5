import { budgets, type Counters } from '@switchyard/contract'
import { conformance, countersSuite, type Subject, virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { budgetAdmin, ledger } from '../src/index.ts'
import { fakeCounters } from './support/fake-counters.ts'
import { startWorld } from './support/world.ts'

// The ports that the budget provides have no suite of their own yet; the counters that its tests stand on are held to theirs.
const subject: Subject<Counters> = {
  name: 'fake-counters',
  async open() {
    const clock = virtualClock()
    const { now, advance } = clock
    return { instance: fakeCounters(clock), now, advance, fixture: undefined, close: async () => {} }
  },
}

describe('the counters suite', () => conformance(countersSuite, subject, test))

test('the plugin gives what it promises', async () => {
  await using plugin = (await startWorld()).plugin
  for (const port of [budgets, ledger, budgetAdmin]) expect(plugin.port(port as never)).toBeTypeOf('object')
  expect(plugin.policies.map(({ name, stage }) => [name, stage])).toEqual([
    ['budget/account', 'admit'],
    ['budget/attempt', 'transport'],
  ])
})
