import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetryBudget } from '../../src/retry/retry-budget.ts'
import { command } from '../command.ts'

const TERMS = { budgetRatio: 0.2, budgetFloor: 0.3 }

interface Model {
  now: number
  firsts: number[]
  retries: number[]
}

/** What is remembered: the slice of a second that is running and the nine before it. */
function recent(model: Model, times: readonly number[]): number {
  const since = (Math.floor(model.now / 1_000) - 9) * 1_000
  return times.filter((at) => at >= since).length
}

const first = command<Model, RetryBudget>('first', (model, budget) => {
  model.firsts.push(model.now)
  budget.pay(model.now)
})

const retry = command<Model, RetryBudget>('retry', (model, budget) => {
  const balance = recent(model, model.firsts) * 0.2 + 3 - recent(model, model.retries)
  expect(budget.balance(model.now)).toBeCloseTo(balance, 9)
  if (budget.balance(model.now) < 1) return
  model.retries.push(model.now)
  budget.take(model.now)
})

const advance = (ms: number): fc.Command<Model, RetryBudget> =>
  command<Model, RetryBudget>(`advance(${ms})`, (model, budget) => {
    model.now += ms
    expect(budget.idle(model.now)).toBe(recent(model, model.retries) === 0)
  })

test('a budget gives out a fifth of what its last ten seconds paid in, and the floor', () => {
  const commands = [fc.constant(first), fc.constant(first), fc.constant(retry), fc.nat(3_000).map(advance)]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 200, size: 'max' }), (list) => {
      fc.modelRun(() => ({ model: { now: 5_000, firsts: [], retries: [] }, real: new RetryBudget(TERMS) }), list)
    }),
    { numRuns: 300 },
  )
})

test('a dead target at 100 calls a second sees at most a fifth more, and ten a second, of any ten seconds', () => {
  const budget = new RetryBudget({ budgetRatio: 0.2, budgetFloor: 10 })
  const retries: number[] = []
  for (let ms = 0; ms < 60_000; ms += 10) {
    budget.pay(ms)
    if (budget.balance(ms) < 1) continue
    budget.take(ms)
    retries.push(ms)
  }
  for (let second = 10; second <= 60; second++) {
    const recently = retries.filter((at) => at >= (second - 10) * 1_000 && at < second * 1_000)
    expect(recently.length).toBeLessThanOrEqual(1_000 * 0.2 + 100)
  }
  expect(retries.length).toBeGreaterThan(6_000 * 0.25)
})
