import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Prospect, prospectCost, regretOf, type TurnPrices, turnCost } from '../../src/session/regret.ts'

const prices = (input: number, output: number, read = 0.1, write = 1.25): TurnPrices => ({
  input: input * 1e6,
  output: output * 1e6,
  read: input * read * 1e6,
  write: input * write * 1e6,
})
const anyPrices = fc
  .record({ input: fc.integer({ min: 1, max: 10_000_000 }), out: fc.integer({ min: 1, max: 40_000_000 }), read: fc.nat(100) })
  .map(({ input, out, read }) => ({ input, output: out, read: (input * read) / 100, write: input * 1.25 }))
const anyProspect: fc.Arbitrary<Prospect> = fc.record({
  turns: fc.integer({ min: 1, max: 60 }),
  prompt: fc.integer({ min: 1, max: 100_000 }),
  growth: fc.integer({ min: 0, max: 5_000 }),
  output: fc.integer({ min: 0, max: 4_000 }),
})

/** Turn by turn, as the closed form must sum. */
function walked({ turns, prompt, growth, output }: Prospect, warm: number, at: TurnPrices): number {
  let sum = 0
  let held = warm
  for (let turn = 0; turn < turns; turn++) {
    const now = prompt + turn * growth
    sum += turnCost(now, held, output, at)
    held = now
  }
  return sum
}

describe('sums over a session', () => {
  test('equal the walk turn by turn', () => {
    fc.assert(
      fc.property(anyProspect, fc.nat(200_000), anyPrices, (prospect, warm, at) => {
        const sum = prospectCost(prospect, warm, at)
        const steps = walked(prospect, warm, at)
        expect(Math.abs(sum - steps)).toBeLessThanOrEqual(1e-9 * steps + 1)
      }),
    )
  })

  test('a warmer cache never costs more, and more turns never less', () => {
    fc.assert(
      fc.property(anyProspect, fc.nat(100_000), fc.nat(100_000), anyPrices, (prospect, a, b, at) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)]
        expect(prospectCost(prospect, more, at)).toBeLessThanOrEqual(prospectCost(prospect, less, at) + 1)
        expect(prospectCost({ ...prospect, turns: prospect.turns + 1 }, a, at)).toBeGreaterThanOrEqual(
          prospectCost(prospect, a, at),
        )
      }),
    )
  })

  test('leaving for the same prices never pays, and for free always', () => {
    fc.assert(
      fc.property(anyProspect, fc.nat(100_000), anyPrices, (prospect, warm, at) => {
        expect(regretOf(prospect, { warm, prices: at }, { warm: 0, prices: at }, 0.01).leave).toBe(false)
        const free = { input: 0, output: 0, read: 0, write: 0 }
        expect(regretOf(prospect, { warm, prices: at }, { warm: 0, prices: free }, 0.1).leave).toBe(true)
      }),
    )
  })

  test('by hand: a warm 10,000 tokens are left only when enough turns are ahead', () => {
    const here = { warm: 10_000, prices: prices(3, 15) }
    const there = { warm: 0, prices: prices(1, 5) }
    const prospect = { turns: 1, prompt: 10_000, growth: 500, output: 100 }
    // 10,000 x 0.3 + 100 x 15 = 4,500 against 10,000 x 1.25 + 100 x 5 = 13,000, in micro-USD.
    expect(regretOf(prospect, here, there, 0.1)).toEqual({ staying: 4_500e6, switching: 13_000e6, leave: false })
    expect(regretOf({ ...prospect, turns: 12 }, here, there, 0.1).leave).toBe(true)
  })
})

/**
 * Sessions like those that were measured: 12 calls, 5,200 prompt tokens a call in the mean, half of the turns hard, in runs; against the
 * strong model with its own cache. The signs are to come out; the figures hang on the traces.
 */
describe('sessions with half of their turns strong', () => {
  const OUTPUT = 200
  const turns = Array.from({ length: 12 }, (_, turn) => 2_450 + turn * 500)
  const hard = turns.map((_, turn) => turn % 2 === 0)

  function session(strong: TurnPrices, cheap: TurnPrices, pick: (turn: number) => boolean, cached: boolean): number {
    const held = new Map<TurnPrices, number>()
    let sum = 0
    turns.forEach((prompt, turn) => {
      const at = pick(turn) ? strong : cheap
      sum += cached ? turnCost(prompt, held.get(at) ?? 0, OUTPUT, at) : prompt * at.input + OUTPUT * at.output
      held.set(at, prompt)
    })
    return sum
  }

  test.each([
    ['3/15 and 1/5', prices(3, 15), prices(1, 5), 1],
    ['2.5/10 and 0.15/0.6', prices(2.5, 10, 0.1, 1), prices(0.15, 0.6, 0.1, 1), 1],
    ['3/15 and 2/8', prices(3, 15), prices(2, 8), -1],
  ])('%s: each turn uncached loses, pinning gains, each turn cached %#', (_, strong, cheap, sign) => {
    const alone = session(strong, cheap, () => true, true)
    const saved = (cost: number): number => 1 - cost / alone
    const eachUncached = saved(session(strong, cheap, (turn) => hard[turn] as boolean, false))
    const eachCached = saved(session(strong, cheap, (turn) => hard[turn] as boolean, true))
    const pinned = saved((alone + session(strong, cheap, () => false, true)) / 2)
    expect(eachUncached).toBeLessThan(-0.5)
    expect(Math.sign(eachCached)).toBe(sign)
    expect(pinned).toBeGreaterThan(0)
    expect(pinned).toBeGreaterThan(eachCached)
  })
})
