import assert from 'node:assert/strict'
import { type RankedTarget, type Strategy, type StrategyCandidate, strategy } from '@switchyard/contract'
import type { ConformanceCase, Mutant, Suite } from '../../conformance/suite.ts'
import { callOf, candidateOf, everyPool, knowing, namesOf, rankedBy } from './ranking.ts'

const cases: readonly ConformanceCase<Strategy>[] = [
  {
    id: 'strategy.rank.every-candidate-once',
    promise: 'every candidate is in the order exactly once, and nothing else',
    async check({ instance }) {
      for (const pool of everyPool())
        assert.deepEqual(namesOf(rankedBy(instance, pool)).toSorted(), namesOf(pool).toSorted(), 'the names differ')
    },
  },
  {
    id: 'strategy.rank.synchronous',
    promise: 'the order is there at once: routing waits for nobody',
    async check({ instance }) {
      for (const pool of everyPool()) assert.ok(Array.isArray(rankedBy(instance, pool)), 'it gave no list')
    },
  },
  {
    id: 'strategy.rank.repeatable',
    promise: 'the same call, candidates and draws give the same order, whatever was asked in between',
    async check({ instance }) {
      const pools = everyPool()
      const once = pools.map((pool) => namesOf(rankedBy(instance, pool, 7)))
      for (const pool of pools) rankedBy(instance, pool, 8)
      assert.deepEqual(
        pools.map((pool) => namesOf(rankedBy(instance, pool, 7))),
        once,
      )
    },
  },
  {
    id: 'strategy.rank.alters-nothing',
    promise: 'neither the call nor the list of candidates is altered',
    async check({ instance }) {
      const pool = [candidateOf('b', { expectedCost: 2 }), candidateOf('a', { expectedCost: 1 })]
      const before = namesOf(pool)
      const call = callOf()
      instance.rank(call, pool, knowing())
      assert.deepEqual(namesOf(pool), before, 'the list was sorted in place')
      assert.equal(call.trace.decisions.length, 0)
    },
  },
  {
    id: 'strategy.rank.never-throws',
    promise: 'it ranks any request, also one whose body is of no known shape',
    async check({ instance }) {
      const pool = [candidateOf('a'), candidateOf('b')]
      for (const body of [{ messages: null }, { messages: [null, { content: [null] }] }, { tools: 'x' }, { n: -1 }])
        for (const stickyKey of [undefined, '', 'acme\nuser'])
          assert.equal(instance.rank(callOf(body), pool, knowing(1, { stickyKey, taskClass: 'unheard-of' })).length, 2)
    },
  },
  {
    id: 'strategy.rank.no-free-unknowns',
    promise: 'where it ranks by cost, a target without a price never comes before one that is known to cost little',
    declared: ({ capabilities }) => capabilities.costs,
    async check({ instance }) {
      const pool = [candidateOf('a'), candidateOf('b', { expectedCost: 1 })]
      for (let seed = 1; seed <= 20; seed++) assert.equal(namesOf(rankedBy(instance, pool, seed))[0], 'p/p/b')
    },
    async undeclared({ instance }) {
      // Without costs there is nothing to break: it must do with candidates that have none.
      assert.equal(rankedBy(instance, [candidateOf('a'), candidateOf('b')]).length, 2)
    },
  },
]

type Rank = (
  order: readonly RankedTarget[],
  pool: readonly StrategyCandidate[],
  asked: number,
  call: Parameters<Strategy['rank']>[0],
) => readonly RankedTarget[]

/** A strategy that does otherwise than a right one. */
function mutant(name: string, killedBy: string, change: Rank): Mutant<Strategy> {
  return {
    name,
    killedBy,
    mutate(instance) {
      let asked = 0
      return {
        capabilities: instance.capabilities,
        rank: (call, pool, knowledge) => change(instance.rank(call, pool, knowledge), pool, asked++, call),
      }
    },
  }
}

const mutants: readonly Mutant<Strategy>[] = [
  mutant('loses-the-last', 'strategy.rank.every-candidate-once', (order) => (order.length > 1 ? order.slice(0, -1) : order)),
  mutant('names-one-twice', 'strategy.rank.every-candidate-once', (order) => [...order, ...order.slice(0, 1)]),
  mutant('brings-its-own', 'strategy.rank.every-candidate-once', (order) => [...order, candidateOf('stranger')]),
  mutant('answers-later', 'strategy.rank.synchronous', (order) => Promise.resolve(order) as unknown as readonly RankedTarget[]),
  mutant('turns-after-a-while', 'strategy.rank.repeatable', (order, _pool, asked) => (asked < 8 ? order : order.toReversed())),
  mutant('sorts-in-place', 'strategy.rank.alters-nothing', (order, pool) => {
    if (!Object.isFrozen(pool)) (pool as StrategyCandidate[]).reverse()
    return order
  }),
  mutant('throws-at-odd-bodies', 'strategy.rank.never-throws', (order, _pool, _asked, { request }) => {
    if (request.body.messages === null) throw new TypeError('no messages')
    return order
  }),
  mutant('takes-unknown-for-free', 'strategy.rank.no-free-unknowns', (order) =>
    order.toSorted((a, b) => (a.expectedCost ?? 0) - (b.expectedCost ?? 0)),
  ),
]

/** What all strategies promise, and strategies that break each promise. */
export const strategySuite: Suite<Strategy> = { port: strategy, cases, mutants }
