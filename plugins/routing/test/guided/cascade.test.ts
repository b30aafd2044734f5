import type { Call, ModelReply } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CascadePlan } from '../../src/guided/arm-plan.ts'
import { type CascadeResult, runCascade } from '../../src/guided/cascade.ts'
import type { Ranked } from '../../src/strategies/strategy.ts'
import { wholeReply } from '../support/route.ts'
import { call, request } from '../support/world.ts'

const step = (name: string): Ranked => ({
  target: { instance: 'p', model: `p/${name}`, deployment: name, weight: 1, canaryPercent: undefined, when: undefined },
  health: undefined,
  expectedCost: undefined,
})

/** Runs a check over what three models say; null = it fails. `order` is in which they answer. */
async function run(
  check: CascadePlan['check'],
  said: readonly (string | null)[],
  best: readonly number[] = said.map((_, at) => at),
  order: readonly number[] = best,
): Promise<CascadeResult & { readonly asked3: number }> {
  const steps = said.map((_, at) => step(String(at)))
  const comparison = { kind: 'label', json: false, offered: [] } as const
  const plan: CascadePlan = { check, steps, best, strong: step('strong'), comparison }
  let asked3 = 0
  const next = async (given: Call<'model.invoke'>): Promise<ModelReply> => {
    asked3 += 1
    const at = Number(given.request.model)
    for (let turn = 0; turn <= order.indexOf(at) * 3; turn++) await Promise.resolve()
    const word = said[at]
    if (word === null) throw new Error('down')
    return wholeReply({ choices: [{ message: { content: word } }] })
  }
  const result = await runCascade(
    {
      clock: virtualClock(),
      timeoutMs: 1_000,
      copyFor: ({ target }, signal) => ({ ...call('p', request(target.deployment)), signal }),
      costOf: () => undefined,
    },
    plan,
    new AbortController().signal,
    next,
  )
  return { ...result, asked3 }
}

const word = fc.constantFrom('A', 'B', '', null)

describe('agree', () => {
  test('accepts exactly what all say, whoever answers first, with the best model’s reply', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 2, maxLength: 3 }), fc.gen(), async (said, draw) => {
        const places = said.map((_, at) => at)
        const best = draw(() => fc.shuffledSubarray(places, { minLength: places.length }))
        const order = draw(() => fc.shuffledSubarray(places, { minLength: places.length }))
        const { accepted } = await run('agree', said, best, order)
        const all = said.every((one) => one !== null && one !== '' && one === said[0])
        expect(accepted?.step).toBe(all ? best[0] : undefined)
      }),
      { numRuns: 60 },
    )
  })
})

describe('schema', () => {
  test('accepts the best model that gives an answer of the kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 3 }), fc.gen(), async (said, draw) => {
        const places = said.map((_, at) => at)
        const best = draw(() => fc.shuffledSubarray(places, { minLength: places.length }))
        const order = draw(() => fc.shuffledSubarray(places, { minLength: places.length }))
        const { accepted } = await run('schema', said, best, order)
        expect(accepted?.step).toBe(best.find((at) => said[at] !== null && said[at] !== ''))
      }),
      { numRuns: 60 },
    )
  })
})

describe('majority', () => {
  test.each<[readonly (string | null)[], number | undefined, number]>([
    [['A', 'A', 'B'], 0, 2],
    [['A', 'B', 'A'], 0, 3],
    [['A', 'B', 'B'], 1, 3],
    [['A', 'B', 'C'], undefined, 3],
    [['', '', ''], undefined, 3],
    [[null, 'B', 'B'], 1, 3],
    [['A', null, 'B'], undefined, 3],
    [['A', 'B', null], undefined, 3],
  ])('of %j is %s after %i calls', async (said, served, asked) => {
    const { accepted, asked3 } = await run('majority', said)
    expect([accepted?.step, asked3]).toEqual([served, asked])
  })
})
