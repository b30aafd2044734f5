import { describe, expect, test } from 'vitest'
import { type Standing, type StandingEvent, type StandingRules, step, weightOf, wellSince } from '../src/standing.ts'

const rules: StandingRules = {
  ejectionMs: 100,
  maxEjectionMs: 250,
  slowStartMs: 100,
  slowStartWeight: 0.1,
  degradedWeight: 0.25,
  holdMs: 50,
}

const failed = (spared?: string): StandingEvent => ({ type: 'failed', reason: 'down', spared, jitter: 0.5 })
const cooled = (forMs: number, spared?: string): StandingEvent => ({ type: 'cooled', reason: 'wait', forMs, spared })
const slow = (forMs: number, weight = 0.5): StandingEvent => ({
  type: 'burdened',
  cause: 'slow',
  weight,
  forMs,
  reason: 'slow',
})

/** Events at their times, time passing before each. */
function run(...events: readonly (readonly [number, StandingEvent])[]): Standing {
  let standing = wellSince(0)
  for (const [now, event] of events) standing = step(passedTo(standing, now), event, now, rules)
  return standing
}

function passedTo(standing: Standing, now: number): Standing {
  for (let before = standing; ; ) {
    const after = step(before, { type: 'passed' }, now, rules)
    if (after === before) return after
    before = after
  }
}

const at = (standing: Standing, now: number): [string, number] => {
  const then = passedTo(standing, now)
  return [then.state, Math.round(weightOf(then, now, rules) * 1000) / 1000]
}

describe('a deployment that fails', () => {
  test('is out, comes back with a growing weight, and is well', () => {
    const standing = run([10, failed()])
    expect(at(standing, 10)).toEqual(['ejected', 0])
    expect(at(standing, 109)).toEqual(['ejected', 0])
    expect(at(standing, 110)).toEqual(['recovering', 0.1])
    expect(at(standing, 160)).toEqual(['recovering', 0.55])
    expect(at(standing, 210)).toEqual(['healthy', 1])
  })

  test.each([
    [0, 80],
    [0.5, 100],
    [0.9999, 120],
  ])('returns with a jitter of %d after %d ms', (jitter, ms) => {
    const { until } = step(wellSince(0), { type: 'failed', reason: 'down', spared: undefined, jitter }, 0, rules)
    expect(Math.round(until)).toBe(ms)
  })

  test('is out longer each time in a row, up to a bound, and is forgiven after a long time well', () => {
    let standing = wellSince(0)
    const lasted: number[] = []
    for (let now = 0; now < 2000; now += 500) {
      standing = step(passedTo(standing, now), failed(), now, rules)
      lasted.push(standing.until - now)
    }
    expect(lasted).toEqual([100, 200, 250, 250])
    const later = step(passedTo(standing, 4000), failed(), 4000, rules)
    expect(later.until - 4000).toBe(100)
  })

  test('is only degraded where it may not be left out, and says why', () => {
    const standing = run([0, failed('it is the last')])
    expect(standing).toMatchObject({ state: 'degraded', reason: 'down; it is the last', ejections: 0 })
    expect(at(standing, 49)).toEqual(['degraded', 0.25])
    expect(at(standing, 50)).toEqual(['healthy', 1])
  })

  test('is out at once where it fails again while it comes back', () => {
    const standing = run([0, failed()], [120, failed()])
    expect(standing).toMatchObject({ state: 'ejected', ejections: 2, until: 320 })
  })

  test('what fails late of its old calls does not prolong it', () => {
    const standing = run([0, failed()])
    expect(step(standing, failed(), 50, rules)).toBe(standing)
  })
})

describe('a deployment whose provider asked to wait', () => {
  test('is out for that time and back at full weight', () => {
    const standing = run([0, cooled(30)])
    expect(at(standing, 29)).toEqual(['ejected', 0])
    expect(at(standing, 30)).toEqual(['healthy', 1])
    expect(passedTo(standing, 30).ejections).toBe(0)
  })

  test('waits for the longest that was asked, and is no shorter out for failing', () => {
    expect(run([0, cooled(30)], [10, cooled(5)]).until).toBe(30)
    expect(run([0, failed()], [10, cooled(500)]).until).toBe(510)
    expect(run([0, failed()], [10, cooled(5)]).until).toBe(100)
  })

  test('begins its slow start anew where it was coming back', () => {
    const standing = run([0, failed()], [150, cooled(20)])
    expect(at(standing, 170)).toEqual(['recovering', 0.1])
  })

  test('is only degraded where it may not be left out', () => {
    expect(at(run([0, cooled(30, 'it is the last')]), 29)).toEqual(['degraded', 0.25])
  })

  test('successes and probes of calls under way do not end it', () => {
    const standing = run([0, cooled(30)])
    for (const event of [{ type: 'proved' }, { type: 'probed', well: true }, { type: 'probed', well: false }] as const) {
      expect(step(step(standing, event, 5, rules), event, 6, rules)).toBe(standing)
    }
  })
})

describe('burdens', () => {
  test('the heaviest counts, each for its time, and the reason is that of one that counts', () => {
    const quota: StandingEvent = { type: 'burdened', cause: 'quota', weight: 0.2, forMs: 10, reason: 'few left' }
    const standing = run([0, slow(40)], [5, quota])
    expect(standing).toMatchObject({ state: 'degraded', reason: 'few left' })
    expect(at(standing, 14)).toEqual(['degraded', 0.2])
    expect(at(standing, 15)).toEqual(['degraded', 0.5])
    expect(passedTo(standing, 15).reason).toBe('slow')
    expect(at(standing, 40)).toEqual(['healthy', 1])
  })

  test('are lifted before their time, one by one', () => {
    const quota: StandingEvent = { type: 'burdened', cause: 'quota', weight: 0.2, forMs: 1000, reason: 'few left' }
    const both = run([0, slow(40)], [0, quota])
    const lifted = step(both, { type: 'relieved', cause: 'quota', reason: 'more' }, 10, rules)
    expect(lifted).toMatchObject({ state: 'degraded', reason: 'slow', until: 40 })
    expect(step(lifted, { type: 'relieved', cause: 'slow', reason: 'quick' }, 11, rules)).toMatchObject({
      state: 'healthy',
      reason: 'quick',
    })
    expect(step(lifted, { type: 'relieved', cause: 'quota', reason: 'more' }, 11, rules)).toBe(lifted)
  })

  test('of a limit outlast an ejection for failing; those of failing do not', () => {
    const quota: StandingEvent = { type: 'burdened', cause: 'quota', weight: 0.5, forMs: 300, reason: 'few left' }
    const standing = run([0, quota], [0, slow(300)], [0, failed()])
    expect(standing.burdens.map(({ cause }) => cause)).toEqual(['quota'])
    expect(at(standing, 150)).toEqual(['recovering', 0.275])
    expect(at(standing, 200)).toEqual(['degraded', 0.5])
  })
})

describe('proof', () => {
  test('two calls that end well bring it back before its time', () => {
    const once = run([0, failed()], [10, { type: 'proved' }])
    expect(once.state).toBe('ejected')
    expect(run([0, failed()], [10, { type: 'proved' }], [20, { type: 'proved' }])).toMatchObject({
      state: 'recovering',
      since: 20,
    })
  })

  test('a failure between begins the count anew', () => {
    const [well, ill] = [{ type: 'proved' }, failed()] as const
    expect(run([0, failed()], [10, well], [20, ill], [30, well]).state).toBe('ejected')
    expect(run([0, failed()], [10, well], [20, ill], [30, well], [40, well]).state).toBe('recovering')
  })

  test('each further ejection in a row asks for four times as many', () => {
    const well: StandingEvent = { type: 'proved' }
    const again = run([0, failed()], [120, failed()], ...Array.from({ length: 7 }, () => [130, well] as const))
    expect(again.state).toBe('ejected')
    expect(step(again, well, 131, rules).state).toBe('recovering')
  })

  test('two good probes do so for a first ejection only', () => {
    const well: StandingEvent = { type: 'probed', well: true }
    expect(run([0, failed()], [10, well], [20, well]).state).toBe('recovering')
    expect(run([0, failed()], [120, failed()], [130, well], [140, well], [150, well]).state).toBe('ejected')
  })

  test('a failed probe keeps it out, up to a bound, and undoes the good ones before', () => {
    const [well, ill] = [true, false].map((each): StandingEvent => ({ type: 'probed', well: each })) as [
      StandingEvent,
      StandingEvent,
    ]
    expect(run([0, failed()], [50, ill]).until).toBe(150)
    expect(run([0, failed()], [90, ill], [180, ill], [240, ill]).until).toBe(250)
    expect(run([0, failed()], [10, well], [20, ill], [30, well]).state).toBe('ejected')
  })
})

describe('a person', () => {
  test('takes it out of every state, and nothing but a person brings it back', () => {
    const off: StandingEvent = { type: 'disabled', reason: 'off' }
    for (const before of [wellSince(0), run([0, failed()]), run([0, slow(40)]), run([0, failed()], [110, slow(9)])]) {
      const standing = step(before, off, 20, rules)
      expect(standing).toMatchObject({ state: 'disabled', reason: 'off' })
      for (const event of [failed(), cooled(9), slow(9), { type: 'proved' }, { type: 'probed', well: true }, off] as const) {
        expect(step(standing, event, 30, rules)).toBe(standing)
      }
      expect(at(standing, 1e9)).toEqual(['disabled', 0])
    }
  })

  test('lets it serve at full weight, whatever it was, with a clean record', () => {
    const on: StandingEvent = { type: 'enabled', reason: 'on' }
    expect(step(wellSince(0), on, 5, rules)).toEqual(wellSince(0))
    for (const before of [run([0, failed()]), run([0, slow(40)]), run([0, { type: 'disabled', reason: 'off' }])]) {
      expect(step(before, on, 5, rules)).toEqual(wellSince(5, 'on'))
    }
  })
})
