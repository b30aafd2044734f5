import { SwitchyardError } from '@switchyard/contract'
import { type VirtualClock, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Lane, lane } from '../src/lane.ts'

let clock: VirtualClock
beforeEach(() => {
  clock = virtualClock()
})

function make(options: { capacity?: number; maxWaiting?: number; acquireTimeoutMs?: number } = {}): Lane {
  return lane({ name: 'the writer', capacity: 1, maxWaiting: 10, acquireTimeoutMs: 1_000, clock, ...options })
}

describe('acquire', () => {
  test('gives turns in the order they were asked for', async () => {
    const turns = make()
    const first = await turns.acquire('query')
    const order: number[] = []
    const waiting = [1, 2, 3].map((at) =>
      turns.acquire('query').then((release) => {
        order.push(at)
        release()
      }),
    )
    first()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  test('refuses with OVERLOADED after acquireTimeoutMs, naming who holds it and for how long', async () => {
    const turns = make()
    await turns.acquire('transaction')
    const refused = turns.acquire('query').catch((error: unknown) => error)
    await clock.advance(999)
    expect(turns.stats()).toEqual({ held: 1, waiting: 1, oldestHolderMs: 999 })
    await clock.advance(1)
    const error = await refused
    expect(error).toMatchObject({ code: 'OVERLOADED', retryable: true, details: { sent: false } })
    expect((error as Error).message).toContain(
      'the writer within 1000 ms (acquireTimeoutMs); it is held by a transaction for 1000 ms',
    )
    expect(turns.stats().waiting).toBe(0)
  })

  test('refuses with OVERLOADED at once where maxWaiting wait already', async () => {
    const turns = make({ maxWaiting: 1 })
    await turns.acquire('stream')
    turns.acquire('query').catch(() => {})
    await expect(turns.acquire('query')).rejects.toMatchObject({ code: 'OVERLOADED' })
  })

  test('lets an aborted caller leave the queue at once, and the turn goes to the next', async () => {
    const turns = make()
    const first = await turns.acquire('query')
    const stop = new AbortController()
    const aborted = turns.acquire('query', stop.signal)
    const next = turns.acquire('query')
    stop.abort(new SwitchyardError('TIMEOUT', 'deadline'))
    await expect(aborted).rejects.toMatchObject({ code: 'TIMEOUT', message: 'deadline' })
    expect(turns.stats().waiting).toBe(1)
    first()
    await next
    await expect(turns.acquire('query', stop.signal)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('ends a turn once, however often it is released', async () => {
    const turns = make()
    const first = await turns.acquire('query')
    first()
    const second = await turns.acquire('query')
    first()
    expect(turns.tryAcquire('query')).toBeUndefined()
    second()
    expect(turns.tryAcquire('query')).toBeDefined()
  })
})

test('close refuses who waits and who comes', async () => {
  const turns = make()
  await turns.acquire('query')
  const waiting = turns.acquire('query')
  turns.close()
  await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(turns.acquire('query')).rejects.toMatchObject({ code: 'CLOSED' })
  expect(() => turns.tryAcquire('query')).toThrow('closed')
})

test('tryAcquire does not overtake who waits', async () => {
  const turns = make({ capacity: 2 })
  const first = turns.tryAcquire('query')
  expect(turns.tryAcquire('query')).toBeDefined()
  const waiting = turns.acquire('query')
  expect(turns.tryAcquire('query')).toBeUndefined()
  first?.()
  await waiting
})

const step = fc.oneof(
  fc.record({ do: fc.constant('acquire' as const) }),
  fc.record({ do: fc.constant('release' as const), at: fc.nat(9) }),
  fc.record({ do: fc.constant('abort' as const), at: fc.nat(9) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 600 }) }),
)

test('at any time no more than the capacity hold it, nobody waits while it is free, and every caller is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), async (capacity, steps) => {
      clock = virtualClock()
      const turns = make({ capacity, maxWaiting: 5 })
      const held: (() => void)[] = []
      const stops: AbortController[] = []
      const answers: Promise<unknown>[] = []
      for (const each of steps) {
        if (each.do === 'acquire') {
          const stop = new AbortController()
          stops.push(stop)
          answers.push(
            turns
              .acquire('query', stop.signal)
              .then((release) => held.push(release))
              .catch(() => {}),
          )
        } else if (each.do === 'release') held.splice(each.at, 1)[0]?.()
        else if (each.do === 'abort') stops[each.at]?.abort()
        else await clock.advance(each.ms)
        await Promise.resolve()
        await Promise.resolve()
        const stats = turns.stats()
        expect(stats.held).toBeLessThanOrEqual(capacity)
        expect(stats.waiting).toBeLessThanOrEqual(5)
        if (stats.waiting > 0) expect(stats.held).toBe(capacity)
      }
      await clock.advance(1_000)
      await Promise.all(answers)
      for (const release of held) release()
      expect(turns.stats()).toEqual({ held: 0, waiting: 0, oldestHolderMs: 0 })
    }),
  )
})
