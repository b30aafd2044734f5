import type { CounterRow } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type MemoryCounters, memoryCounters } from '../src/memory-counters.ts'

function made(limits: { maxCounters?: number; maxLeases?: number } = {}): {
  counters: MemoryCounters
  clock: ReturnType<typeof virtualClock>
} {
  const clock = virtualClock(0)
  return { counters: memoryCounters({ maxCounters: 100, maxLeases: 100, clock, ...limits }), clock }
}

function row(key: string, amount = 1n, expiresAt?: number): CounterRow {
  return { key, amount, limit: 1000n, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

describe('memoryCounters', () => {
  test.each<[string, CounterRow[], { id: string; expiresAt: number }]>([
    ['an empty key', [row('')], { id: 'l', expiresAt: 9 }],
    ['an empty lease id', [row('k')], { id: '', expiresAt: 9 }],
    ['a lease without an end', [row('k')], { id: 'l', expiresAt: Number.POSITIVE_INFINITY }],
    ['a lease at no time', [row('k')], { id: 'l', expiresAt: Number.NaN }],
    ['a row at no time', [row('k', 1n, Number.NaN)], { id: 'l', expiresAt: 9 }],
  ])('refuses %s', async (_, rows, lease) => {
    const { counters } = made()
    await expect(counters.reserve(rows, lease)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(counters.usage()).toEqual({ rows: 0, leases: 0, expiring: 0 })
  })

  test('starts no row beyond maxCounters, but goes on with those it has', async () => {
    const { counters } = made({ maxCounters: 2 })
    const lease = (id: string) => ({ id, expiresAt: 1000 })
    await counters.reserve([row('a'), row('a'), row('b')], lease('1'))
    await expect(counters.reserve([row('a'), row('c')], lease('2'))).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      details: { option: 'maxCounters', limit: 2 },
    })
    expect(await counters.read(['a', 'b', 'c'])).toEqual([2n, 1n, 0n])
    expect(await counters.reserve([row('a'), row('b')], lease('2'))).toEqual({ granted: true })
  })

  test('takes no lease beyond maxLeases until one expires', async () => {
    const { counters, clock } = made({ maxLeases: 1 })
    await counters.reserve([row('a')], { id: '1', expiresAt: 10 })
    await expect(counters.reserve([row('a')], { id: '2', expiresAt: 10 })).rejects.toMatchObject({ code: 'OVERLOADED' })
    await clock.advance(10)
    expect(await counters.reserve([row('a')], { id: '2', expiresAt: 20 })).toEqual({ granted: true })
    expect(counters.usage()).toMatchObject({ rows: 1, leases: 1 })
  })

  test('is exact to the millisecond, for leases and for windows', async () => {
    const { counters, clock } = made()
    await counters.reserve([row('leased', 5n)], { id: '1', expiresAt: 10 })
    await counters.reserve([row('window', 5n, 10)], { id: '2', expiresAt: 1000 })
    await clock.advance(9)
    expect(await counters.read(['leased', 'window'])).toEqual([5n, 5n])
    await clock.advance(1)
    expect(await counters.read(['leased', 'window'])).toEqual([0n, 0n])
  })

  test('a row keeps the expiry it was started with, also through settlements at zero', async () => {
    const { counters, clock } = made()
    await counters.reserve([row('k', 1n, 10)], { id: '1', expiresAt: 1000 })
    await counters.settle('1', {})
    await counters.reserve([row('k', 7n, 500)], { id: '2', expiresAt: 1000 })
    await clock.advance(10)
    expect(await counters.read(['k'])).toEqual([0n])
  })

  test('an already expired lease holds nothing, and an already expired row counts nothing', async () => {
    const { counters, clock } = made()
    await clock.advance(100)
    expect(await counters.reserve([row('k')], { id: '1', expiresAt: 100 })).toEqual({ granted: true })
    expect(await counters.reserve([row('old', 1n, 100)], { id: '2', expiresAt: 200 })).toEqual({ granted: true })
    expect(await counters.read(['k', 'old'])).toEqual([0n, 0n])
    expect(await counters.settle('1', { k: 1n })).toEqual({ settled: false })
  })

  test('a lease id is free again once the lease has expired', async () => {
    const { counters, clock } = made()
    await counters.reserve([row('k')], { id: '1', expiresAt: 10 })
    await counters.settle('1', { k: 1n })
    await clock.advance(10)
    expect(await counters.reserve([row('k')], { id: '1', expiresAt: 20 })).toEqual({ granted: true })
  })

  test('holds nothing of what is over, and arms no timer', async () => {
    const { counters, clock } = made({ maxCounters: 1_000, maxLeases: 1_000 })
    for (let round = 0; round < 3000; round += 1) {
      const lease = { id: `${round}`, expiresAt: clock.now() + 20 }
      await counters.reserve([row(`k${round}`), row(`w${round}`, 1n, clock.now() + 15)], lease)
      if (round % 2 === 0) await counters.settle(lease.id, {})
      await clock.advance(1)
    }
    expect(counters.usage().rows).toBeLessThan(40)
    expect(counters.usage().leases).toBeLessThan(25)
    await clock.advance(100)
    await counters.read([])
    expect(counters.usage()).toEqual({ rows: 0, leases: 0, expiring: 0 })
    expect(clock.pending()).toBe(0)
  })

  test('clear drops everything', async () => {
    const { counters } = made()
    await counters.reserve([row('k', 1n, 10)], { id: '1', expiresAt: 10 })
    counters.clear()
    expect(counters.usage()).toEqual({ rows: 0, leases: 0, expiring: 0 })
  })
})
