import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Standing, type StandingEvent, type StandingRules, step, weightOf, wellSince } from '../src/standing.ts'

const rules: StandingRules = {
  ejectionMs: 100,
  maxEjectionMs: 250,
  slowStartMs: 60,
  slowStartWeight: 0.1,
  degradedWeight: 0.25,
  holdMs: 50,
}

const cause = fc.constantFrom('slow' as const, 'quota' as const)
const spared = fc.constantFrom(undefined, undefined, 'the last')
const event: fc.Arbitrary<StandingEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('failed' as const), reason: fc.constant('f'), spared, jitter: fc.constant(0.5) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('cooled' as const),
      reason: fc.constant('c'),
      forMs: fc.integer({ min: 1, max: 150 }),
      spared,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('burdened' as const),
      cause,
      weight: fc.constantFrom(0.5, 0.75),
      forMs: fc.integer({ min: 1, max: 120 }),
      reason: fc.constant('b'),
    }),
  },
  fc.record({ type: fc.constant('relieved' as const), cause, reason: fc.constant('r') }),
  { weight: 2, arbitrary: fc.constant({ type: 'proved' as const }) },
  fc.record({ type: fc.constant('probed' as const), well: fc.boolean() }),
  fc.constant({ type: 'disabled' as const, reason: 'd' }),
  fc.constant({ type: 'enabled' as const, reason: 'e' }),
)

/** The same in the plainest way: instants until which something holds, and what they mean together. */
function plain() {
  let off = false
  let outUntil = 0
  let cooling = false
  let rampFrom: number | undefined
  let count = 0
  let proofs = 0
  let outSince = 0
  const burdens = new Map<string, { until: number; weight: number }>()
  const clear = (): void => {
    outUntil = 0
    cooling = false
    rampFrom = undefined
    count = 0
    proofs = 0
    burdens.clear()
  }
  const out = (now: number): boolean => outUntil > now
  const burden = (name: string, until: number, weight: number, now: number): void => {
    const before = burdens.get(name)
    burdens.set(name, { until: Math.max(until, before !== undefined && before.until > now ? before.until : 0), weight })
  }
  /** What time alone does, up to now. */
  function pass(now: number): void {
    if (off) return
    if (outUntil > 0 && outUntil <= now) {
      if (!cooling) rampFrom = outUntil
      outUntil = 0
      cooling = false
      proofs = 0
    }
    if (rampFrom !== undefined && rampFrom + rules.slowStartMs <= now) rampFrom = undefined
    for (const [name, { until }] of burdens) if (until <= now) burdens.delete(name)
  }
  const state = (now: number): string => {
    if (off) return 'disabled'
    if (out(now)) return 'ejected'
    if (rampFrom !== undefined) return 'recovering'
    return burdens.size > 0 ? 'degraded' : 'healthy'
  }
  return {
    state,
    pass,
    resetCount(ejections: number): void {
      count = ejections
    },
    weight(now: number): number {
      const own = state(now)
      if (own === 'disabled' || own === 'ejected') return 0
      const least = Math.min(1, ...[...burdens.values()].map(({ weight }) => weight))
      const ramp = rampFrom === undefined ? 1 : 0.1 + 0.9 * ((now - rampFrom) / rules.slowStartMs)
      return least * ramp
    },
    take(one: StandingEvent, now: number): void {
      if (one.type === 'disabled') {
        if (!off) clear()
        off = true
        return
      }
      if (one.type === 'enabled') {
        if (state(now) !== 'healthy') clear()
        off = false
        return
      }
      if (off) return
      if (one.type === 'failed' && !out(now)) {
        if (one.spared !== undefined) {
          burden('failing', now + rules.holdMs, rules.degradedWeight, now)
          return
        }
        count += 1
        outUntil = now + Math.min(rules.maxEjectionMs, rules.ejectionMs * count)
        outSince = now
        rampFrom = undefined
        for (const name of ['slow', 'failing']) burdens.delete(name)
      } else if (one.type === 'failed') proofs = 0
      else if (one.type === 'cooled') {
        if (out(now)) outUntil = Math.max(outUntil, now + one.forMs)
        else if (one.spared !== undefined) burden('limited', now + one.forMs, rules.degradedWeight, now)
        else {
          cooling = rampFrom === undefined
          rampFrom = undefined
          outUntil = now + one.forMs
          outSince = now
        }
      } else if (one.type === 'burdened') burden(one.cause, now + one.forMs, one.weight, now)
      else if (one.type === 'relieved') burdens.delete(one.cause)
      else if ((one.type === 'proved' || one.type === 'probed') && out(now) && !cooling) {
        if (one.type === 'probed' && !one.well) {
          proofs = 0
          outUntil = Math.max(outUntil, Math.min(outSince + rules.maxEjectionMs, now + rules.ejectionMs))
        } else if (one.type === 'proved' || count === 1) {
          proofs += 1
          if (proofs >= 2 * 4 ** (count - 1)) {
            outUntil = 0
            proofs = 0
            rampFrom = now
          }
        }
      }
    },
  }
}

function passedTo(standing: Standing, now: number): Standing {
  for (let before = standing; ; ) {
    const after = step(before, { type: 'passed' }, now, rules)
    if (after === before) return after
    before = after
  }
}

test('any events at any times give what instants alone give', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(90), event), { minLength: 1, maxLength: 60 }), (events) => {
      const model = plain()
      let standing = wellSince(0)
      let now = 0
      for (const [ms, one] of events) {
        now += ms
        standing = passedTo(standing, now)
        model.pass(now)
        // Forgiveness is tested by itself: the model takes over how often it was out in a row.
        model.resetCount(standing.ejections)
        expect(standing.state).toBe(model.state(now))
        standing = step(standing, one, now, rules)
        model.take(one, now)
        expect(standing.state).toBe(model.state(now))
        expect(weightOf(standing, now, rules)).toBeCloseTo(model.weight(now), 9)
        expect(standing.until > now || standing.state === 'recovering').toBe(true)
        expect(standing.burdens.length).toBeLessThanOrEqual(4)
      }
    }),
    { numRuns: 2000 },
  )
})
