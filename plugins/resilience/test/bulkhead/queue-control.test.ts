import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Bulkhead, type SlotWaiter } from '../../src/bulkhead/bulkhead.ts'
import { FairQueue, type Rank } from '../../src/bulkhead/fair-queue.ts'
import { QueueControl } from '../../src/bulkhead/queue-control.ts'
import { DEFAULTS } from '../../src/settings.ts'

const TERMS = { queueTargetMs: 20, queueIntervalMs: 200 }

/** When it drops, asked every 10 ms while the oldest waits so long. */
function dropsAt(control: QueueControl, oldestMs: (now: number) => number | undefined, untilMs: number, gapMs = 1): number[] {
  const drops: number[] = []
  for (let now = 0; now <= untilMs; now += 10) if (control.drop(oldestMs(now), gapMs, now)) drops.push(now)
  return drops
}

describe('a queue whose oldest waits too long', () => {
  test('is over after an interval, and then loses one after another, ever faster', () => {
    const control = new QueueControl(TERMS)
    const drops = dropsAt(control, () => 50, 1_500)
    expect(drops.slice(0, 5)).toEqual([200, 400, 550, 660, 760])
    expect(control.over).toBe(true)
    const gaps = drops.slice(1).map((at, index) => at - (drops[index] as number))
    expect(gaps.at(-1)).toBeLessThan(80)
  })

  test.each([
    ['below the target', () => 19],
    ['nobody there', () => undefined],
    ['once in an interval below it', (now: number) => (now % 200 === 0 ? 5 : 500)],
  ])('is not over with %s', (_name, oldestMs) => {
    const control = new QueueControl(TERMS)
    expect(dropsAt(control, oldestMs, 5_000)).toEqual([])
    expect(control.over).toBe(false)
  })

  test('is no longer over once the wait is short again, and begins slowly when long past', () => {
    const control = new QueueControl(TERMS)
    dropsAt(control, () => 50, 2_000)
    control.drop(10, 1, 2_010)
    expect(control.over).toBe(false)
    const soon = [2_020, 2_220, 2_221].map((now) => control.drop(50, 1, now))
    expect(soon).toEqual([false, true, false])
    // It goes on at the rate at which it stopped: the next comes far sooner than an interval later.
    expect(control.drop(50, 1, 2_290)).toBe(true)
    control.drop(10, 1, 2_300)
    const late = [12_000, 12_200, 12_390, 12_400].map((now) => control.drop(50, 1, now))
    expect(late).toEqual([false, true, false, true])
  })

  test('is given more time where slots seldom become free', () => {
    // A slot every 100 ms: ten of them are a second, and a tenth of that is the target.
    expect(dropsAt(new QueueControl(TERMS), () => 99, 5_000, 100)).toEqual([])
    expect(dropsAt(new QueueControl(TERMS), () => 100, 1_500, 100)).toEqual([1_000])
  })

  test('is left alone where the option says so', () => {
    expect(dropsAt(new QueueControl({ ...TERMS, queueTargetMs: false }), () => 1e6, 5_000)).toEqual([])
  })

  test('whatever it is asked, it never drops before an interval has passed above the target', () => {
    const step = fc.record({ ms: fc.nat(150), oldestMs: fc.option(fc.nat(100), { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const control = new QueueControl(TERMS)
        let now = 0
        let aboveSince: number | undefined
        for (const { ms, oldestMs } of steps) {
          now += ms
          if (oldestMs === undefined || oldestMs < 20) aboveSince = undefined
          else aboveSince ??= now
          const drops = control.drop(oldestMs, 1, now)
          const isLong = aboveSince !== undefined && now - aboveSince >= 200
          if (drops) expect(isLong).toBe(true)
          expect(control.over).toBe(isLong)
        }
      }),
    )
  })
})

describe('who is given up', () => {
  const waiter = (tenant: string, rank: Rank, id: string) => ({ tenant, rank, id })
  type Named = ReturnType<typeof waiter>
  const queue = (waiters: readonly Named[], weights: Record<string, number> = {}): FairQueue<Named> => {
    const made = new FairQueue<Named>(100, (tenant) => weights[tenant] ?? 1)
    for (const [at, each] of waiters.entries()) made.push(each, at)
    return made
  }
  const order = (made: FairQueue<Named>): string[] => {
    const ids: string[] = []
    for (let each = made.sacrifice(); each !== undefined; each = made.sacrifice()) ids.push(each.id)
    return ids
  }

  test('first the lowest class of anybody, then tenants above their share, then the rest; of each who waits longest', () => {
    const made = queue([
      waiter('greedy', 1, 'g1'),
      waiter('greedy', 0, 'g2'),
      waiter('modest', 1, 'm1'),
      waiter('greedy', 1, 'g3'),
      waiter('modest', 2, 'm2'),
      waiter('greedy', 2, 'g4'),
    ])
    expect(order(made)).toEqual(['g4', 'm2', 'g1', 'g3', 'g2', 'm1'])
    expect(made.size).toBe(0)
  })

  test('a share is by weight', () => {
    const waiters = [
      waiter('a', 1, 'a1'),
      waiter('a', 1, 'a2'),
      waiter('a', 1, 'a3'),
      waiter('b', 1, 'b1'),
      waiter('b', 1, 'b2'),
    ]
    expect(order(queue(waiters, { a: 3 }))[0]).toBe('b1')
    expect(order(queue(waiters))[0]).toBe('a1')
  })

  test('the oldest of all lines is known, whoever leaves', () => {
    const made = queue([waiter('a', 1, 'a1'), waiter('b', 0, 'b1'), waiter('a', 0, 'a2')])
    expect(made.oldestSince).toBe(0)
    expect(made.shift()?.id).toBe('a2')
    expect(made.oldestSince).toBe(0)
    expect(made.shift()?.id).toBe('b1')
    expect(made.shift()?.id).toBe('a1')
    expect(made.oldestSince).toBeUndefined()
    const newest = queue([waiter('a', 1, 'a1'), waiter('a', 1, 'a2'), waiter('a', 1, 'a3')])
    expect([newest.shift(true)?.id, newest.shift(true)?.id, newest.shift()?.id]).toEqual(['a3', 'a2', 'a1'])
  })
})

/** Slots of 20 ms each at twice the calls they carry, for ten seconds; what those waited who were served. */
function overload(queueTargetMs: number | false): { readonly waits: number[]; readonly shed: number } {
  const bulkhead = new Bulkhead({ ...DEFAULTS.bulkhead, slots: 10, queueTargetMs })
  const waits: number[] = []
  let shed = 0
  const ends: number[] = []
  const nothing = (): void => {}
  let now = 0
  const serve = (since: number): void => {
    waits.push(now - since)
    ends.push(now + 20)
  }
  for (; now < 10_000; now++) {
    while ((ends[0] ?? Number.POSITIVE_INFINITY) <= now) {
      ends.shift()
      bulkhead.leave(20, now)
    }
    const since = now
    const granted = (): void => serve(since)
    const waiter: SlotWaiter = {
      tenant: 'acme',
      rank: 1,
      granted,
      displaced: nothing,
      broken: nothing,
      shed: () => void shed++,
    }
    if (bulkhead.enter()) serve(now)
    else bulkhead.wait(waiter, now)
  }
  return { waits, shed }
}

test('at twice the load, those who are served wait next to nothing, where without it they wait for the whole queue', () => {
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
  const controlled = overload(20)
  const plain = overload(false)
  expect(plain.shed).toBe(0)
  expect(median(plain.waits.slice(1_000))).toBeGreaterThan(150)
  expect(median(controlled.waits.slice(1_000))).toBeLessThan(20)
  expect(controlled.shed).toBeGreaterThan(100)
  // No slot stands empty for it.
  expect(controlled.waits.length).toBeGreaterThan(plain.waits.length - 20)
})
