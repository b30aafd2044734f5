import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import {
  changesOf,
  expecting,
  LEASE_MS,
  lateLease,
  longLease,
  passUntil,
  row,
  saysSettled,
  shortLease,
  sums,
  triples,
} from './rows.ts'

const ABORTED = { signal: AbortSignal.abort() }

async function listed(counters: Counters): Promise<string[]> {
  return (await counters.expired()).map(({ id }) => id)
}

/** The list of leases that expired with something charged. Its last promise, a day, is too long for a clock that goes by itself. */
export const expiredCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.expired.says-what-it-charged',
    promise: 'an expired lease comes with the time of its expiry, its note, and the settled sums before and after it',
    async check(opened) {
      const { instance } = opened
      await instance.reserve([row('a', 0n), row('b', 50n)], longLease(opened, 'before'))
      await instance.settle('before', { a: 10n, b: 0n })
      await instance.reserve([row('b', 50n)], longLease(opened, 'held'))
      const lease = { ...lateLease(opened, 'noted'), note: '{"call":"1","text":"caf\u00e9 \u{1f682}"}' }
      await instance.reserve([expecting('b', 9n, 2n), expecting('a', 9n, 3n)], lease)
      const plain = { ...lateLease(opened, 'plain'), expiresAt: lease.expiresAt + 20 }
      await instance.reserve([expecting('a', 9n, 1n)], plain)
      await passUntil(opened, plain.expiresAt)
      const [first, second, ...more] = await instance.expired()
      assert.deepEqual(more, [], 'leases beyond the two that expired')
      assert.ok(first !== undefined && second !== undefined, 'the two leases that expired')
      assert.deepEqual([first.id, first.expiredAt, first.note], ['noted', lease.expiresAt, lease.note])
      assert.deepEqual(triples(first.changes), [
        ['b', 0n, 2n],
        ['a', 10n, 13n],
      ])
      assert.deepEqual([second.id, second.expiredAt, second.note], ['plain', plain.expiresAt, undefined])
      assert.deepEqual(triples(second.changes), [['a', 13n, 14n]])
    },
  },
  {
    id: 'counters.expired.charged-ones-only',
    promise: 'leases that stand, that were settled, that were refused or that expected nothing are not listed',
    async check(opened) {
      const { instance } = opened
      const end = shortLease(opened).expiresAt
      const at = (id: string) => ({ id, expiresAt: end, settleUntil: end + 600_000 })
      await instance.reserve([expecting('k', 1n, 1n)], longLease(opened, 'stands'))
      await instance.reserve([expecting('k', 1n, 1n)], at('settled'))
      await instance.settle('settled', { k: 1n })
      await instance.reserve([{ ...row('full', 9n, 1n), expected: 1n }], at('refused'))
      await instance.reserve([row('k', 1n)], at('expects nothing'))
      await instance.reserve([row('k', 1n), expecting('k', 1n, 1n)], at('charged'))
      const early = await listed(instance)
      if (opened.now() < end) assert.deepEqual(early, [], 'before the expiry')
      await passUntil(opened, end)
      assert.deepEqual(await listed(instance), ['charged'], 'after the expiry')
    },
  },
  {
    id: 'counters.expired.oldest-first',
    promise: 'expired leases come in the order of their expiries, whenever they were reserved',
    async check(opened) {
      const { expiresAt } = shortLease(opened)
      for (const late of [40, 0, 60, 20]) {
        await opened.instance.reserve([expecting('k', 1n, 1n)], { id: `${late}`, expiresAt: expiresAt + late })
      }
      await passUntil(opened, expiresAt + 60)
      assert.deepEqual(await listed(opened.instance), ['0', '20', '40', '60'])
    },
  },
  {
    id: 'counters.expired.at-most-1000',
    promise: 'a call lists the oldest 1,000, and the others once those are acknowledged',
    async check(opened) {
      const { instance } = opened
      const expiresAt = opened.now() + 4 * LEASE_MS
      const ids = Array.from({ length: 1002 }, (_, at) => `${at}`)
      await Promise.all(ids.map((id) => instance.reserve([expecting('k', 1n, 1n)], { id, expiresAt })))
      await instance.reserve([expecting('k', 1n, 1n)], { id: 'youngest', expiresAt: expiresAt + 1 })
      await passUntil(opened, expiresAt + 1)
      const first = await listed(instance)
      assert.equal(first.length, 1000, 'leases of the first call')
      assert.ok(!first.includes('youngest'), 'the youngest among the oldest 1,000')
      await instance.acknowledge(first)
      const rest = await listed(instance)
      assert.equal(rest.length, 3, 'leases left')
      assert.equal(rest[2], 'youngest', 'the last of all')
      assert.deepEqual(new Set([...first, ...rest]).size, 1003, 'leases of both calls')
    },
  },
  {
    id: 'counters.expired.takes-nothing-off',
    promise: 'listing takes nothing off the list',
    async check(opened) {
      const lease = lateLease(opened)
      await opened.instance.reserve([expecting('k', 1n, 1n)], lease)
      await passUntil(opened, lease.expiresAt)
      assert.deepEqual(await listed(opened.instance), ['lease'], 'the first time')
      assert.deepEqual(await listed(opened.instance), ['lease'], 'the second time')
      saysSettled(await opened.instance.settle('lease', { k: 1n }), true, 'a settlement after it was listed')
    },
  },
  {
    id: 'counters.expired.until-settled',
    promise: 'a lease that is settled late goes off the list, and no other does',
    async check(opened) {
      const end = lateLease(opened, 'settled')
      await opened.instance.reserve([expecting('k', 1n, 1n)], { ...end, id: 'stays' })
      await opened.instance.reserve([expecting('k', 1n, 1n)], end)
      await passUntil(opened, end.expiresAt)
      saysSettled(await opened.instance.settle('settled', { k: 0n }), true, 'the late settlement')
      assert.deepEqual(await listed(opened.instance), ['stays'], 'after the late settlement')
    },
  },
  {
    id: 'counters.expired.outlasts-settle-until',
    promise: 'a lease stays listed when it can be settled no more',
    async check(opened) {
      const lease = { ...shortLease(opened, 'until'), settleUntil: opened.now() + 2 * LEASE_MS }
      await opened.instance.reserve([expecting('k', 1n, 1n)], lease)
      await opened.instance.reserve([expecting('k', 1n, 1n)], {
        ...shortLease(opened, 'never'),
        expiresAt: lease.expiresAt + 1,
      })
      await passUntil(opened, lease.settleUntil + 1)
      assert.deepEqual(await listed(opened.instance), ['until', 'never'])
    },
  },
  {
    id: 'counters.expired.aborted-signal',
    promise: 'expired under a signal that has aborted rejects ABORTED',
    async check({ instance }) {
      await rejectsWith(() => instance.expired(ABORTED), 'ABORTED', 'expired')
    },
  },
  {
    id: 'counters.acknowledge.takes-off-list',
    promise: 'acknowledged leases go off the list, what they charged stays, and unknown ids are passed over',
    async check(opened) {
      const { instance } = opened
      const { expiresAt } = shortLease(opened)
      for (const [at, id] of ['a', 'b', 'c'].entries()) {
        await instance.reserve([expecting('k', 9n, 5n)], { id, expiresAt: expiresAt + at })
      }
      await passUntil(opened, expiresAt + 2)
      await instance.acknowledge(['unknown', 'a', 'c', 'a'])
      assert.deepEqual(await listed(instance), ['b'], 'after a and c were acknowledged')
      await sums(instance, { k: 15n }, 'after the acknowledgement')
      await instance.acknowledge([])
      await instance.acknowledge(['a'])
      assert.deepEqual(await listed(instance), ['b'], 'after none and one that was acknowledged before')
    },
  },
  {
    id: 'counters.acknowledge.settles-late-still',
    promise: 'an acknowledged lease can be settled until its `settleUntil` as before',
    async check(opened) {
      const lease = lateLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 5n)], lease)
      await passUntil(opened, lease.expiresAt)
      await opened.instance.acknowledge(['lease'])
      assert.deepEqual(changesOf(await opened.instance.settle('lease', { k: 2n })), [['k', 5n, 2n]])
      await sums(opened.instance, { k: 2n }, 'after the late settlement')
    },
  },
  {
    id: 'counters.acknowledge.spares-standing-leases',
    promise: 'acknowledging a lease that stands changes nothing: it expires, charges and is listed',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 5n)], lease)
      await opened.instance.acknowledge(['lease'])
      const [early] = await opened.instance.read(['k'])
      if (opened.now() < lease.expiresAt) assert.equal(early, 9n, 'while the lease stands')
      await passUntil(opened, lease.expiresAt)
      assert.deepEqual(await listed(opened.instance), ['lease'], 'after the expiry')
      await sums(opened.instance, { k: 5n }, 'after the expiry')
    },
  },
  {
    id: 'counters.acknowledge.aborted-signal',
    promise: 'acknowledge under a signal that has aborted rejects ABORTED and takes nothing off the list',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([expecting('k', 1n, 1n)], lease)
      await passUntil(opened, lease.expiresAt)
      await rejectsWith(() => opened.instance.acknowledge(['lease'], ABORTED), 'ABORTED', 'acknowledge')
      assert.deepEqual(await listed(opened.instance), ['lease'], 'after an aborted acknowledge')
    },
  },
]
