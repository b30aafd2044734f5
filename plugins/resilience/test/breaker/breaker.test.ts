import { virtualClock } from '@switchyard/testkit'
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Breaker, type BreakerChange, FREE, REFUSED } from '../../src/breaker/breaker.ts'
import { type BreakerSettings, DEFAULTS } from '../../src/settings.ts'

function setup(changes: Partial<BreakerSettings> = {}, random = 0.5) {
  const told: BreakerChange[] = []
  const breaker = new Breaker(
    { ...DEFAULTS.breaker, ...changes },
    () => random,
    (change) => void told.push(change),
  )
  const fail = (times: number, now: number): void => {
    for (let i = 0; i < times; i++) breaker.record('failure', false, now)
  }
  const succeed = (times: number, now: number, slow = false): void => {
    for (let i = 0; i < times; i++) breaker.record('good', slow, now)
  }
  return { breaker, told, fail, succeed }
}

describe('it opens', () => {
  test('at half of twenty in two seconds, not at nineteen and not below half', () => {
    const { breaker, told, fail, succeed } = setup()
    for (let i = 0; i < 9; i++) {
      fail(1, 100)
      succeed(1, 100)
    }
    succeed(2, 100)
    fail(1, 200)
    expect(breaker.state).toBe('closed')
    fail(1, 200)
    expect(told).toEqual([{ from: 'closed', to: 'open', reason: 'failure-rate', until: 15_200 }])
  })

  test('by the long window where the short one has too few', () => {
    const { breaker, fail, succeed } = setup({ consecutiveFailures: 1_000 })
    for (let second = 0; second < 9; second++) {
      succeed(1, second * 1_000)
      fail(1, second * 1_000 + 1)
    }
    expect(breaker.state).toBe('closed')
    succeed(1, 9_000)
    fail(1, 9_500)
    expect(breaker.state).toBe('open')
  })

  test('on a quiet target at five failures in a row, between which neutral ones count for nothing', () => {
    const { breaker, told, fail, succeed } = setup()
    fail(4, 0)
    succeed(1, 60_000)
    fail(4, 120_000)
    for (let i = 0; i < 10; i++) breaker.record('neutral', true, 180_000)
    expect(breaker.state).toBe('closed')
    fail(1, 240_000)
    expect(told.at(-1)).toMatchObject({ to: 'open', reason: 'consecutive-failures' })
  })

  test('on a busy target not by a few in a row', () => {
    const { breaker, fail, succeed } = setup()
    succeed(100, 0)
    fail(20, 100)
    expect(breaker.state).toBe('closed')
  })

  test('by slow replies, though all were good', () => {
    const { breaker, told, succeed } = setup({ slowMs: 100, slowRate: 0.8 })
    succeed(5, 0)
    succeed(19, 0, true)
    expect(breaker.state).toBe('closed')
    succeed(1, 0, true)
    expect(told.at(-1)).toMatchObject({ reason: 'slow-rate' })
  })

  test('not by failures before ten idle minutes and one after: a window is of its own time', () => {
    const { breaker, fail, succeed } = setup({ consecutiveFailures: 1_000 })
    succeed(21, 0)
    fail(20, 0)
    succeed(2, 600_000)
    fail(1, 600_000)
    expect(breaker.state).toBe('closed')
  })
})

describe('open', () => {
  test('it refuses for its time, says how long, and then lets three probes through', () => {
    const { breaker, fail } = setup()
    fail(5, 0)
    expect([breaker.admit(0), breaker.admit(14_999)]).toEqual([REFUSED, REFUSED])
    expect(breaker.retryAfterMs(5_000)).toBe(10_000)
    expect([breaker.wouldAdmit(14_999), breaker.wouldAdmit(15_000)]).toEqual([false, true])
    const tickets = [breaker.admit(15_000), breaker.admit(15_000), breaker.admit(15_000)]
    expect(tickets.every((ticket) => ticket > FREE)).toBe(true)
    expect([breaker.wouldAdmit(15_000), breaker.admit(15_000)]).toEqual([false, REFUSED])
    expect(breaker.state).toBe('half-open')
  })

  test.each([
    [0, 12_000],
    [0.5, 15_000],
    [1 - Number.EPSILON / 2, 18_000],
  ])('for a time that chance %d makes %i ms', (random, ms) => {
    const { told, fail } = setup({}, random)
    fail(5, 0)
    expect(told[0]?.until).toBe(ms)
  })

  test('twice as long each time its probes fail, up to the bound, and from the start once it has closed', () => {
    const { breaker, told, fail } = setup()
    fail(5, 0)
    let now = 0
    const opened = (): number => (told.at(-1)?.until ?? 0) - now
    const times = [opened()]
    for (let i = 0; i < 6; i++) {
      now = told.at(-1)?.until ?? 0
      breaker.giveBack(breaker.admit(now), 'failure', now)
      times.push(opened())
    }
    expect(times).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000])
    now = told.at(-1)?.until ?? 0
    for (let i = 0; i < 3; i++) breaker.giveBack(breaker.admit(now), 'good', now)
    expect(breaker.state).toBe('closed')
    fail(5, now)
    expect(opened()).toBe(15_000)
  })
})

describe('half-open', () => {
  const halfOpen = () => {
    const all = setup()
    all.fail(5, 0)
    return { ...all, ticket: all.breaker.admit(20_000), now: 20_000 }
  }

  test('three good ones close it, and the windows begin empty', () => {
    const { breaker, ticket, now, fail } = halfOpen()
    breaker.giveBack(ticket, 'good', now)
    breaker.giveBack(breaker.admit(now), 'good', now)
    expect(breaker.state).toBe('half-open')
    breaker.giveBack(breaker.admit(now), 'good', now)
    expect(breaker.state).toBe('closed')
    fail(4, now)
    expect(breaker.state).toBe('closed')
    fail(1, now)
    expect(breaker.state).toBe('open')
  })

  test('a neutral one gives its permit back and proves nothing', () => {
    const { breaker, ticket, now } = halfOpen()
    breaker.admit(now)
    breaker.admit(now)
    expect(breaker.admit(now)).toBe(REFUSED)
    breaker.giveBack(ticket, 'neutral', now)
    expect(breaker.state).toBe('half-open')
    expect(breaker.admit(now)).not.toBe(REFUSED)
  })

  test('what had begun before it opened neither closes nor opens it', () => {
    const { breaker, fail, succeed, now } = halfOpen()
    fail(10, now)
    succeed(10, now)
    breaker.giveBack(FREE, 'failure', now)
    expect(breaker.state).toBe('half-open')
  })

  test('a permit of an earlier time is worth nothing in this one', () => {
    const { breaker, ticket, now } = halfOpen()
    const second = breaker.admit(now)
    breaker.giveBack(ticket, 'failure', now)
    const later = now + 60_000
    const [third] = [breaker.admit(later)]
    breaker.giveBack(second, 'failure', later)
    expect(breaker.state).toBe('half-open')
    expect(third).not.toBe(second)
  })

  test('probes that never end cannot hold it half-open for ever', () => {
    const { breaker, told, now } = halfOpen()
    breaker.admit(now)
    breaker.admit(now)
    expect(breaker.admit(now + 299_999)).toBe(REFUSED)
    expect(breaker.state).toBe('half-open')
    expect(breaker.admit(now + 300_000)).toBe(REFUSED)
    expect(told.at(-1)).toMatchObject({ to: 'open', reason: 'probes-lost' })
  })
})

test("cockatiel's consecutive breaker is open exactly when this one is, of calls one after another", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('good', 'bad') },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 30_000 }) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, failures) => {
        vi.useFakeTimers({ now: 0, toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] })
        try {
          const settings = {
            consecutiveFailures: failures,
            minSamples: 1_000_000,
            probes: 1,
            openMs: 10_000,
            openMaxMs: 10_000,
          }
          const { breaker } = setup(settings)
          const theirs = circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: 10_000 })
          const clock = virtualClock(0)
          for (const what of steps) {
            if (typeof what === 'number') {
              await clock.advance(what)
              vi.setSystemTime(clock.now())
              continue
            }
            let sent = false
            const call = async (): Promise<void> => {
              sent = true
              if (what === 'bad') throw new Error('no')
            }
            await theirs.execute(call).catch(() => {})
            const ticket = breaker.admit(clock.now())
            expect(ticket !== REFUSED).toBe(sent)
            if (ticket === REFUSED) continue
            const sample = what === 'good' ? 'good' : 'failure'
            breaker.giveBack(ticket, sample, clock.now())
            breaker.record(sample, false, clock.now())
          }
        } finally {
          vi.useRealTimers()
        }
      },
    ),
    { numRuns: 60 },
  )
})
