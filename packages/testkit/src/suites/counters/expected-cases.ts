import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import {
  changesOf,
  expecting,
  granted,
  LEASE_MS,
  lateLease,
  longLease,
  passUntil,
  refused,
  row,
  saysSettled,
  shortLease,
  sums,
} from './rows.ts'

/** What leases that expire unsettled leave behind, and how the truth comes late. */
export const expectedCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.reserve.expiry-charges-expected',
    promise:
      'from its expiry an unsettled lease leaves what its rows expect, fewer or more than it held, and gives the rest back',
    async check(opened) {
      const { instance } = opened
      const lease = shortLease(opened)
      const rows = [expecting('less', 9n, 4n), expecting('more', 1n, 6n), row('none', 7n), expecting('all', 3n, 3n)]
      granted(await instance.reserve([...rows, expecting('less', 1n, 1n)], lease), 'the reserve')
      await sums(instance, { less: 10n, more: 1n, none: 7n, all: 3n }, 'while the lease stands')
      await passUntil(opened, lease.expiresAt)
      await sums(instance, { less: 5n, more: 6n, none: 0n, all: 3n }, 'after the expiry')
    },
  },
  {
    id: 'counters.reserve.expected-counts-against-limits',
    promise: 'what an expired lease left behind counts against limits, and no lease of it is waited for',
    async check(opened) {
      const lease = shortLease(opened, 'expires')
      await opened.instance.reserve([{ ...row('k', 5n, 5n), expected: 3n }], lease)
      await passUntil(opened, lease.expiresAt)
      const said = await opened.instance.reserve([row('k', 3n, 5n)], longLease(opened, 'too much'))
      refused(said, 'k', 2n, '3 where 2 of 5 are left')
      assert.equal(
        said.granted ? undefined : said.freesAt,
        undefined,
        'freesAt with no lease that is neither settled nor expired',
      )
      granted(await opened.instance.reserve([row('k', 2n, 5n)], longLease(opened, 'rest')), '2 where 2 are left')
    },
  },
  {
    id: 'counters.reserve.expected-of-passed-window',
    promise: 'a lease of a window that has passed leaves nothing of what it expected in the next one',
    async check(opened) {
      const windowEnd = opened.now() + LEASE_MS
      const lease = { id: 'old', expiresAt: windowEnd + LEASE_MS }
      await opened.instance.reserve([expecting('k', 5n, 3n, windowEnd), expecting('stays', 5n, 3n)], lease)
      await passUntil(opened, windowEnd)
      const next = opened.now() + 60_000
      granted(await opened.instance.reserve([row('k', 4n, 5n, next)], longLease(opened, 'new')), 'in the next window')
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 4n, stays: 3n }, 'after the old lease expired')
    },
  },
  {
    id: 'counters.reserve.negative-expected-invalid',
    promise: 'a negative expected amount rejects INVALID_REQUEST and changes no row',
    async check(opened) {
      const rows = [row('other', 1n), expecting('k', 1n, -1n)]
      await rejectsWith(() => opened.instance.reserve(rows, longLease(opened)), 'INVALID_REQUEST', 'reserve expecting -1')
      await sums(opened.instance, { other: 0n, k: 0n }, 'after the rejection')
    },
  },
  {
    id: 'counters.reserve.settle-until-before-expiry-invalid',
    promise: 'a lease to be settled until before its expiry rejects INVALID_REQUEST; until the expiry itself is right',
    async check(opened) {
      const lease = longLease(opened)
      const early = { ...lease, settleUntil: lease.expiresAt - 1 }
      await rejectsWith(() => opened.instance.reserve([row('k', 1n)], early), 'INVALID_REQUEST', 'settleUntil before expiresAt')
      await sums(opened.instance, { k: 0n }, 'after the rejection')
      granted(await opened.instance.reserve([row('k', 1n)], { ...lease, settleUntil: lease.expiresAt }), 'until the expiry')
    },
  },
  {
    id: 'counters.reserve.note-too-long-invalid',
    promise: 'a note of more than 4,096 characters rejects INVALID_REQUEST and changes no row',
    async check(opened) {
      const lease = { ...longLease(opened), note: 'n'.repeat(4097) }
      await rejectsWith(() => opened.instance.reserve([row('k', 1n)], lease), 'INVALID_REQUEST', 'a note of 4,097 characters')
      await sums(opened.instance, { k: 0n }, 'after the rejection')
      granted(await opened.instance.reserve([row('k', 1n)], { ...lease, note: 'n'.repeat(4096) }), 'a note of 4,096')
    },
  },
  {
    id: 'counters.settle.late-replaces-expected',
    promise: 'a settlement after the expiry puts the true amounts in place of the expected ones, and says so',
    async check(opened) {
      const { instance } = opened
      await instance.reserve([row('up', 0n)], longLease(opened, 'before'))
      await instance.settle('before', { up: 100n })
      const lease = lateLease(opened)
      const rows = ['down', 'up', 'left-out', 'same'].map((key) => expecting(key, 9n, 4n))
      await instance.reserve([...rows, row('none', 9n)], lease)
      await passUntil(opened, lease.expiresAt)
      const said = await instance.settle('lease', { none: 5n, up: 20n, down: 1n, same: 4n })
      assert.deepEqual(changesOf(said), [
        ['down', 4n, 1n],
        ['up', 104n, 120n],
        ['left-out', 4n, 0n],
        ['same', 4n, 4n],
        ['none', 0n, 5n],
      ])
      await sums(instance, { down: 1n, up: 120n, 'left-out': 0n, same: 4n, none: 5n }, 'after the late settlement')
    },
  },
  {
    id: 'counters.settle.late-without-expected',
    promise: 'a lease that expects nothing can be settled late as well',
    async check(opened) {
      const lease = lateLease(opened)
      await opened.instance.reserve([row('k', 9n)], lease)
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 0n }, 'after the expiry')
      assert.deepEqual(changesOf(await opened.instance.settle('lease', { k: 5n })), [['k', 0n, 5n]])
      await sums(opened.instance, { k: 5n }, 'after the late settlement')
    },
  },
  {
    id: 'counters.settle.late-once',
    promise: 'a late settlement counts once, also of several at once',
    async check(opened) {
      const lease = lateLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 4n)], lease)
      await passUntil(opened, lease.expiresAt)
      const amounts = [1n, 2n, 3n, 5n, 6n]
      const said = await Promise.all(amounts.map((k) => opened.instance.settle('lease', { k })))
      const winners = amounts.filter((_, at) => said[at]?.settled)
      assert.equal(winners.length, 1, 'late settlements that counted')
      await sums(opened.instance, { k: winners[0] as bigint }, 'that of the one that counted')
      saysSettled(await opened.instance.settle('lease', { k: 50n }), false, 'one more')
      await sums(opened.instance, { k: winners[0] as bigint }, 'after one more')
    },
  },
  {
    id: 'counters.settle.late-invalid',
    promise:
      'a foreign key or a negative amount rejects INVALID_REQUEST in a late settlement too, and the lease stays to be settled',
    async check(opened) {
      const lease = lateLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 4n)], lease)
      await passUntil(opened, lease.expiresAt)
      const foreign = { k: 1n, foreign: 1n }
      await rejectsWith(() => opened.instance.settle('lease', foreign), 'INVALID_REQUEST', 'settle with a foreign key')
      await rejectsWith(() => opened.instance.settle('lease', { k: -1n }), 'INVALID_REQUEST', 'settle at -1')
      await sums(opened.instance, { k: 4n, foreign: 0n }, 'after the rejections')
      saysSettled(await opened.instance.settle('lease', { k: 1n }), true, 'a right settlement afterwards')
    },
  },
  {
    id: 'counters.settle.after-settle-until',
    promise: 'a settlement after `settleUntil` changes nothing and says so; what was expected stays charged',
    async check(opened) {
      const lease = { ...shortLease(opened), settleUntil: opened.now() + 2 * LEASE_MS }
      await opened.instance.reserve([expecting('k', 9n, 4n)], lease)
      await passUntil(opened, lease.settleUntil)
      saysSettled(await opened.instance.settle('lease', { k: 1n }), false, 'a settlement after settleUntil')
      await sums(opened.instance, { k: 4n }, 'after it')
    },
  },
  {
    id: 'counters.settle.no-settle-until',
    promise: 'without `settleUntil` a settlement after the expiry changes nothing, whatever was expected',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 4n)], lease)
      await passUntil(opened, lease.expiresAt)
      saysSettled(await opened.instance.settle('lease', { k: 1n }), false, 'a settlement after the expiry')
      await sums(opened.instance, { k: 4n }, 'after it')
    },
  },
  {
    id: 'counters.settle.late-of-passed-window',
    promise: 'a late settlement changes nothing in the next window, and leaves the passed one out of its changes',
    async check(opened) {
      const lease = lateLease(opened)
      const windowEnd = lease.expiresAt + LEASE_MS
      await opened.instance.reserve([expecting('k', 9n, 4n, windowEnd), expecting('stays', 9n, 4n)], lease)
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 4n, stays: 4n }, 'after the expiry')
      await passUntil(opened, windowEnd)
      const next = opened.now() + 60_000
      await opened.instance.reserve([row('k', 2n, 5n, next)], longLease(opened, 'new'))
      assert.deepEqual(changesOf(await opened.instance.settle('lease', { k: 7n, stays: 1n })), [['stays', 4n, 1n]])
      await sums(opened.instance, { k: 2n, stays: 1n }, 'after the late settlement')
    },
  },
]
