import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { granted, LEASE_MS, longLease, passUntil, refused, row, saysSettled, sums } from './rows.ts'

export const windowCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.reserve.window-holds-until-expiry',
    promise: 'a row counts on up to the last millisecond before it expires',
    async check(opened) {
      const expiresAt = opened.now() + LEASE_MS
      await opened.instance.reserve([row('k', 5n, 5n, expiresAt)], longLease(opened))
      for (const step of [LEASE_MS / 2, LEASE_MS / 2 - 1]) {
        await opened.advance(step)
        const [sum] = await opened.instance.read(['k'])
        // On a clock that goes by itself, the reply tells only while it is surely early.
        if (opened.now() < expiresAt) assert.equal(sum, 5n, `${expiresAt - opened.now()} ms before expiry`)
      }
    },
  },
  {
    id: 'counters.reserve.window-resets',
    promise: 'a row counts from zero again from its expiry, settled and reserved amounts alike; other rows go on',
    async check(opened) {
      const expiresAt = opened.now() + LEASE_MS
      const { instance } = opened
      await instance.reserve([row('k', 2n, 5n, expiresAt), row('other', 2n)], longLease(opened, 'settled'))
      await instance.settle('settled', { k: 2n, other: 2n })
      await instance.reserve([row('k', 3n, 5n, expiresAt)], longLease(opened, 'reserved'))
      refused(
        await instance.reserve([row('k', 1n, 5n, expiresAt)], longLease(opened, 'refused')),
        'k',
        0n,
        'the window is full',
      )
      await passUntil(opened, expiresAt)
      await sums(instance, { k: 0n, other: 2n }, 'in the next window')
      const next = opened.now() + 60_000
      granted(await instance.reserve([row('k', 5n, 5n, next)], longLease(opened, 'next')), 'the whole limit again')
    },
  },
  {
    id: 'counters.reserve.window-forgets-leases',
    promise: 'a lease of a window that has passed takes nothing from the next one when it expires',
    async check(opened) {
      const windowEnd = opened.now() + LEASE_MS
      const lease = { id: 'old', expiresAt: windowEnd + LEASE_MS }
      await opened.instance.reserve([row('k', 5n, 5n, windowEnd)], lease)
      await passUntil(opened, windowEnd)
      const next = opened.now() + 60_000
      granted(await opened.instance.reserve([row('k', 4n, 5n, next)], longLease(opened, 'new')), 'in the next window')
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 4n }, 'after the old lease expired')
    },
  },
  {
    id: 'counters.settle.window-forgets-leases',
    promise: 'settling a lease of a window that has passed settles it, and adds nothing to the next window',
    async check(opened) {
      const windowEnd = opened.now() + LEASE_MS
      await opened.instance.reserve([row('k', 5n, 5n, windowEnd)], longLease(opened, 'old'))
      await passUntil(opened, windowEnd)
      const next = opened.now() + 60_000
      granted(await opened.instance.reserve([row('k', 4n, 5n, next)], longLease(opened, 'new')), 'in the next window')
      saysSettled(await opened.instance.settle('old', { k: 7n }), true, 'the settlement')
      await sums(opened.instance, { k: 4n }, 'after the old lease was settled')
    },
  },
  {
    id: 'counters.reserve.no-expiry-stays',
    promise: 'a row with no expiry outlasts those that have one',
    async check(opened) {
      const expiresAt = opened.now() + LEASE_MS
      await opened.instance.reserve([row('stays', 1n), row('goes', 1n, 5n, expiresAt)], longLease(opened))
      await opened.instance.settle('lease', { stays: 1n, goes: 1n })
      await passUntil(opened, expiresAt)
      await sums(opened.instance, { stays: 1n, goes: 0n }, 'after the expiry')
    },
  },
  {
    id: 'counters.reserve.parallel-within-limit',
    promise: 'of 1000 reserves at once, exactly as many are granted as the limit holds',
    async check(opened) {
      const said = await Promise.all(
        Array.from({ length: 1000 }, (_, at) => opened.instance.reserve([row('k', 1n, 100n)], longLease(opened, `${at}`))),
      )
      assert.equal(said.filter((reservation) => reservation.granted).length, 100, 'reserves that were granted')
      await sums(opened.instance, { k: 100n }, 'after 1000 reserves')
    },
  },
  {
    id: 'counters.reserve.parallel-rows-agree',
    promise: 'reserves at once over rows in opposite orders neither deadlock nor leave one row ahead of the other',
    async check(opened) {
      const said = await Promise.all(
        Array.from({ length: 200 }, (_, at) => {
          const rows = [row('a', 1n, 60n), row('b', 1n, 50n)]
          return opened.instance.reserve(at % 2 === 0 ? rows : rows.reverse(), longLease(opened, `${at}`))
        }),
      )
      assert.equal(said.filter((reservation) => reservation.granted).length, 50, 'reserves that were granted')
      await sums(opened.instance, { a: 50n, b: 50n }, 'after 200 reserves')
    },
  },
]
