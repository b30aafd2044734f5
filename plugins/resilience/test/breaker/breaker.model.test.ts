import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Breaker, FREE, REFUSED, type Sample, type Ticket } from '../../src/breaker/breaker.ts'
import { type BreakerSettings, DEFAULTS } from '../../src/settings.ts'
import { command } from '../command.ts'

const SETTINGS: BreakerSettings = {
  ...DEFAULTS.breaker,
  minSamples: 6,
  consecutiveFailures: 3,
  openMs: 4_000,
  openMaxMs: 16_000,
  probes: 2,
}

interface Attempt {
  readonly ticket: Ticket
  /** Which half-open time its permit is of; undefined for one that needed none. */
  readonly probeOf: number | undefined
}

/** The reference: a list of what happened, and the rules of the text applied to all of it each time. */
interface Model {
  now: number
  state: 'closed' | 'open' | 'half-open'
  samples: { readonly at: number; readonly bad: boolean }[]
  inARow: number
  openUntil: number
  openings: number
  halfOpenings: number
  halfOpenSince: number
  out: number
  proven: number
  attempts: number
}

interface Real {
  readonly breaker: Breaker
  readonly attempts: Attempt[]
}

function open(model: Model): void {
  model.openUntil = model.now + Math.min(SETTINGS.openMaxMs, SETTINGS.openMs * 2 ** model.openings++)
  model.state = 'open'
}

function judged(model: Model): boolean {
  const since = (slice: number): number => (Math.floor(model.now / slice) - 9) * slice
  const windows = [200, 1_000].map((slice) => model.samples.filter(({ at }) => at >= since(slice)))
  const told = windows.filter((window) => window.length >= SETTINGS.minSamples)
  if (told.some((window) => window.filter(({ bad }) => bad).length >= window.length * SETTINGS.failureRate)) return true
  return told.length === 0 && model.inARow >= SETTINGS.consecutiveFailures
}

const admit = command<Model, Real>('admit', (model, real) => {
  if (model.state === 'open' && model.now >= model.openUntil) {
    Object.assign(model, { state: 'half-open', out: 0, proven: 0, halfOpenSince: model.now })
    model.halfOpenings++
  }
  let expected = model.state !== 'open'
  if (model.state === 'half-open') {
    expected = model.out < SETTINGS.probes
    if (expected) model.out++
    else if (model.now - model.halfOpenSince >= SETTINGS.openMaxMs) open(model)
  }
  const ticket = real.breaker.admit(model.now)
  expect(ticket !== REFUSED).toBe(expected)
  expect(real.breaker.state).toBe(model.state)
  if (!expected) return
  expect(ticket === FREE).toBe(model.state === 'closed')
  real.attempts.push({ ticket, probeOf: model.state === 'half-open' ? model.halfOpenings : undefined })
  model.attempts++
})

const end = (which: number, sample: Sample): fc.Command<Model, Real> =>
  command<Model, Real>(
    `end(${which}, ${sample})`,
    (model, real) => {
      const [attempt] = real.attempts.splice(which % model.attempts, 1) as [Attempt]
      model.attempts--
      if (model.state === 'half-open' && attempt.probeOf === model.halfOpenings) {
        model.out--
        if (sample === 'failure') open(model)
        else if (sample === 'good' && ++model.proven === SETTINGS.probes)
          Object.assign(model, { state: 'closed', samples: [], inARow: 0, openings: 0 })
      }
      if (sample !== 'neutral' && model.state === 'closed') {
        const bad = sample === 'failure'
        model.samples.push({ at: model.now, bad })
        model.inARow = bad ? model.inARow + 1 : 0
        if (bad && judged(model)) open(model)
      }
      real.breaker.giveBack(attempt.ticket, sample, model.now)
      real.breaker.record(sample, false, model.now)
      expect(real.breaker.state).toBe(model.state)
    },
    ({ attempts }) => attempts > 0,
  )

const advance = (ms: number): fc.Command<Model, Real> =>
  command<Model, Real>(`advance(${ms})`, (model, real) => {
    model.now += ms
    if (model.state === 'open') expect(real.breaker.retryAfterMs(model.now)).toBe(Math.max(0, model.openUntil - model.now))
    const admits =
      model.state === 'closed' || (model.state === 'open' ? model.now >= model.openUntil : model.out < SETTINGS.probes)
    expect(real.breaker.wouldAdmit(model.now)).toBe(admits)
  })

function start(): { model: Model; real: Real } {
  const times = { openUntil: 0, openings: 0, halfOpenings: 0, halfOpenSince: 0 }
  return {
    model: { now: 1_000_000, state: 'closed', samples: [], inARow: 0, ...times, out: 0, proven: 0, attempts: 0 },
    real: { breaker: new Breaker(SETTINGS, () => 0.5), attempts: [] },
  }
}

test('a breaker does what the list of all that happened says', () => {
  const sample = fc.constantFrom<Sample>('good', 'good', 'failure', 'failure', 'neutral')
  const commands = [
    fc.constant(admit),
    fc.constant(admit),
    fc.tuple(fc.nat(20), sample).map(([which, of]) => end(which, of)),
    fc.tuple(fc.nat(20), sample).map(([which, of]) => end(which, of)),
    fc.oneof(fc.nat(300), fc.nat(6_000)).map(advance),
  ]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 200, size: 'max' }), (list) => fc.modelRun(start, list)),
    { numRuns: 500 },
  )
})
