import type { CounterRow, Lease } from '@switchyard/contract'
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
  test.each<[string, CounterRow[], Lease]>([
    ['an empty key', [row('')], { id: 'l', expiresAt: 9 }],
    ['an empty lease id', [row('k')], { id: '', expiresAt: 9 }],
    ['a lease without an end', [row('k')], { id: 'l', expiresAt: Number.POSITIVE_INFINITY }],
    ['a lease at no time', [row('k')], { id: 'l', expiresAt: Number.NaN }],
    ['a lease to be settled for ever', [row('k')], { id: 'l', expiresAt: 9, settleUntil: Number.POSITIVE_INFINITY }],
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
    expect(await counters.reserve([row('a'), row('b')], lease('2'))).toEqual({ granted: true, sums: [3n, 2n] })
  })

  test('takes no lease beyond maxLeases until one expires', async () => {
    const { counters, clock } = made({ maxLeases: 1 })
    await counters.reserve([row('a')], { id: '1', expiresAt: 10 })
    await expect(counters.reserve([row('a')], { id: '2', expiresAt: 10 })).rejects.toMatchObject({ code: 'OVERLOADED' })
    await clock.advance(10)
    expect(await counters.reserve([row('a')], { id: '2', expiresAt: 20 })).toEqual({ granted: true, sums: [1n] })
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
    expect(await counters.reserve([row('k')], { id: '1', expiresAt: 100 })).toEqual({ granted: true, sums: [1n] })
    expect(await counters.reserve([row('old', 1n, 100)], { id: '2', expiresAt: 200 })).toEqual({ granted: true, sums: [1n] })
    expect(await counters.read(['k', 'old'])).toEqual([0n, 0n])
    expect(await counters.settle('1', { k: 1n })).toEqual({ settled: false })
  })

  test('a lease id is free again once the lease has expired', async () => {
    const { counters, clock } = made()
    await counters.reserve([row('k')], { id: '1', expiresAt: 10 })
    await counters.settle('1', { k: 1n })
    await clock.advance(10)
    expect(await counters.reserve([row('k')], { id: '1', expiresAt: 20 })).toEqual({ granted: true, sums: [2n] })
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

  test('lists an expired lease until a day after it could be settled last, and keeps its id taken for as long', async () => {
    const { counters, clock } = made()
    const lease = { id: '1', expiresAt: 10, settleUntil: 50, note: 'n' }
    await counters.reserve([{ ...row('k', 5n), expected: 2n }], lease)
    await clock.advance(50 + 86_400_000 - 1)
    expect(await counters.expired()).toEqual([
      { id: '1', expiredAt: 10, note: 'n', changes: [{ key: 'k', before: 0n, after: 2n }] },
    ])
    await expect(counters.reserve([row('k')], { id: '1', expiresAt: clock.now() + 10 })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    await clock.advance(1)
    expect(await counters.expired()).toEqual([])
    expect(await counters.read(['k'])).toEqual([2n])
    expect(counters.usage()).toEqual({ rows: 1, leases: 0, expiring: 0 })
  })

  test('an acknowledged lease goes when it can be settled no more, at once where that is now', async () => {
    const { counters, clock } = made()
    const charging = [{ ...row('k', 5n), expected: 2n }]
    await counters.reserve(charging, { id: 'late', expiresAt: 10, settleUntil: 50 })
    await counters.reserve(charging, { id: 'never', expiresAt: 10 })
    await clock.advance(10)
    await counters.acknowledge(['late', 'never'])
    expect(counters.usage()).toEqual({ rows: 1, leases: 1, expiring: 1 })
    await clock.advance(40)
    expect(await counters.settle('late', {})).toEqual({ settled: false })
    expect(counters.usage()).toEqual({ rows: 1, leases: 0, expiring: 0 })
  })

  test('keeps a row at zero for a lease that may be settled late, and no longer', async () => {
    const { counters, clock } = made()
    await counters.reserve([row('k', 5n)], { id: '1', expiresAt: 10, settleUntil: 20 })
    await clock.advance(10)
    expect(await counters.read(['k'])).toEqual([0n])
    expect(counters.usage()).toEqual({ rows: 1, leases: 1, expiring: 1 })
    await clock.advance(10)
    expect(await counters.read(['k'])).toEqual([0n])
    expect(counters.usage()).toEqual({ rows: 0, leases: 0, expiring: 0 })
  })

  test('a lease and its window that end at once leave nothing behind', async () => {
    for (const first of ['lease', 'window']) {
      const { counters, clock } = made()
      const charging = { ...row('k', 5n, 10), expected: 2n }
      if (first === 'window') await counters.reserve([row('k', 1n, 10)], { id: '0', expiresAt: 1000 })
      await counters.reserve([charging, { ...row('stays'), expected: 1n }], { id: '1', expiresAt: 10 })
      await clock.advance(10)
      const [listed] = await counters.expired()
      expect(listed?.changes).toEqual([{ key: 'stays', before: 0n, after: 1n }])
      expect(await counters.read(['k', 'stays'])).toEqual([0n, 1n])
    }
  })

  test('a lease whose every window has passed is listed all the same, for its note', async () => {
    const { counters, clock } = made()
    await counters.reserve([{ ...row('k', 5n, 10), expected: 2n }], { id: '1', expiresAt: 20, note: 'n' })
    await clock.advance(20)
    expect(await counters.expired()).toEqual([{ id: '1', expiredAt: 20, note: 'n', changes: [] }])
  })

  test('a lease that was late from the start expires now, after those that expired before', async () => {
    const { counters, clock } = made()
    const charging = [{ ...row('k', 5n), expected: 2n }]
    await counters.reserve(charging, { id: 'first', expiresAt: 10 })
    await clock.advance(30)
    await counters.reserve(charging, { id: 'second', expiresAt: 5 })
    expect((await counters.expired()).map(({ id, expiredAt }) => [id, expiredAt])).toEqual([
      ['first', 10],
      ['second', 30],
    ])
  })

  test('what a caller does with a list changes no other', async () => {
    const { counters, clock } = made()
    await counters.reserve([{ ...row('k', 5n), expected: 2n }], { id: '1', expiresAt: 10 })
    await clock.advance(10)
    const [mine] = await counters.expired()
    Object.assign(mine ?? {}, { id: 'mine' })
    Object.assign(mine?.changes[0] ?? {}, { after: 99n })
    expect(await counters.expired()).toEqual([
      { id: '1', expiredAt: 10, note: undefined, changes: [{ key: 'k', before: 0n, after: 2n }] },
    ])
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses to renew a lease until %d', async (time) => {
    const { counters } = made()
    await counters.reserve([row('k')], { id: '1', expiresAt: 10 })
    await expect(counters.renew('1', { expiresAt: time })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(counters.renew('1', { settleUntil: time })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(counters.renew('1', { settleUntil: 9 })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await counters.renew('1', { settleUntil: 10 })).toEqual({ renewed: true })
  })

  test('clear drops everything', async () => {
    const { counters } = made()
    await counters.reserve([row('k', 1n, 10)], { id: '1', expiresAt: 10 })
    counters.clear()
    expect(counters.usage()).toEqual({ rows: 0, leases: 0, expiring: 0 })
  })
})
