import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FREE, Quarantine, REFUSED } from '../../src/quarantine/quarantine.ts'
import { command } from '../command.ts'

const TERMS = { forMs: 300_000, maxMs: 3_600_000 }
const even = (): number => 0.5

describe('a credential that is refused', () => {
  test('is held for five minutes, then ten, then an hour at most; one that served starts afresh', () => {
    const quarantine = new Quarantine()
    const held: number[] = []
    let now = 0
    for (let round = 0; round < 7; round++) {
      const until = quarantine.refused(quarantine.admit(now), now, TERMS, even) as number
      held.push(until - now)
      expect(quarantine.admit(until - 1)).toBe(REFUSED)
      now = until
    }
    expect(held).toEqual([300_000, 600_000, 1_200_000, 2_400_000, 3_600_000, 3_600_000, 3_600_000])
    expect(quarantine.served(quarantine.admit(now))).toBe(true)
    expect(quarantine.held).toBe(false)
    expect(quarantine.refused(quarantine.admit(now), now, TERMS, even)).toBe(now + 300_000)
  })

  test('comes back a fifth sooner or later, and no sooner than the provider asked, within the bound', () => {
    const until = (random: number, asked?: number) => new Quarantine().refused(FREE, 0, TERMS, () => random, asked)
    expect(until(0)).toBe(240_000)
    expect(until(0.999_999)).toBe(360_000)
    expect(until(0.5, 1_000_000)).toBe(1_000_000)
    expect(until(0.5, 1e12)).toBe(3_600_000)
  })

  test('lets one probe through at a time, and another when that one says nothing', () => {
    const quarantine = new Quarantine()
    quarantine.refused(FREE, 0, TERMS, even)
    const first = quarantine.admit(300_000)
    expect(first).toBeGreaterThan(0)
    expect(quarantine.admit(300_001)).toBe(REFUSED)
    expect(quarantine.retryAfterMs(300_001)).toBe(1_000)
    quarantine.unproven(first)
    const second = quarantine.admit(300_002)
    expect(second).toBeGreaterThan(first)
    // A probe that hangs does not keep the others out for ever; its late word counts no more.
    const third = quarantine.admit(300_002 + 60_000)
    expect(third).toBeGreaterThan(second)
    expect(quarantine.served(second)).toBe(false)
    quarantine.unproven(second)
    expect(quarantine.admit(300_002 + 60_001)).toBe(REFUSED)
    expect(quarantine.served(third)).toBe(true)
  })

  test('is neither held longer nor released by calls that began before', () => {
    const quarantine = new Quarantine()
    const earlier = quarantine.admit(0)
    const until = quarantine.refused(quarantine.admit(0), 0, TERMS, even)
    expect(quarantine.refused(earlier, 10, TERMS, even)).toBeUndefined()
    expect(quarantine.served(earlier)).toBe(false)
    expect(quarantine.wouldAdmit((until as number) - 1)).toBe(false)
  })
})

interface Model {
  now: number
  held: boolean
  until: number
  times: number
  probe: number | undefined
  probeSince: number
  out: number[]
}
interface Real {
  readonly quarantine: Quarantine
}

describe('against a model', () => {
  const ends = (word: 'served' | 'refused' | 'unproven') =>
    fc.nat(20).map((which) =>
      command<Model, Real>(`${word} ${which}`, (model, { quarantine }) => {
        if (model.out.length === 0) return
        const [permit] = model.out.splice(which % model.out.length, 1) as [number]
        const isProbe = permit !== FREE && permit === model.probe
        if (word === 'served') {
          const releases = model.held && isProbe
          expect(quarantine.served(permit)).toBe(releases)
          if (releases) Object.assign(model, { held: false, times: 0, probe: undefined })
        } else if (word === 'unproven') {
          quarantine.unproven(permit)
          if (isProbe) model.probeSince = Number.NEGATIVE_INFINITY
        } else {
          const counts = !model.held || isProbe
          const until = model.now + Math.min(800, 100 * 2 ** model.times)
          const told = quarantine.refused(permit, model.now, { forMs: 100, maxMs: 800 }, even)
          expect(told).toBe(counts ? until : undefined)
          if (counts) Object.assign(model, { held: true, until, times: model.times + 1, probe: undefined })
        }
      }),
    )
  const commands = [
    fc.nat(400).map((ms) =>
      command<Model, Real>(`advance ${ms}`, (model) => {
        model.now += ms
      }),
    ),
    fc.constant(
      command<Model, Real>('admit', (model, { quarantine }) => {
        const busy = model.probe !== undefined && model.now < model.probeSince + 60_000
        const would = !model.held || (model.now >= model.until && !busy)
        expect(quarantine.wouldAdmit(model.now)).toBe(would)
        const permit = quarantine.admit(model.now)
        expect(permit === REFUSED).toBe(!would)
        if (permit === REFUSED) {
          expect(quarantine.retryAfterMs(model.now)).toBeGreaterThan(0)
          return
        }
        expect(permit === FREE).toBe(!model.held)
        if (permit !== FREE) Object.assign(model, { probe: permit, probeSince: model.now })
        model.out.push(permit)
      }),
    ),
    ends('served'),
    ends('refused'),
    ends('unproven'),
  ]

  test('whatever happens, at most one probe is out, and only probes decide', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 80 }), (steps) => {
        fc.modelRun(
          () => ({
            model: { now: 0, held: false, until: 0, times: 0, probe: undefined, probeSince: 0, out: [] },
            real: { quarantine: new Quarantine() },
          }),
          steps,
        )
      }),
      { numRuns: 300 },
    )
  })
})
