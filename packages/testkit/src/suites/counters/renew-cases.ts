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

const ABORTED = { signal: AbortSignal.abort() }
const YES = { renewed: true }
const NO = { renewed: false }

/** How leases that stand may be changed. */
export const renewCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.renew.expires-later',
    promise: 'a lease that is renewed holds beyond its old expiry and gives back at the new one',
    async check(opened) {
      const { instance } = opened
      const lease = shortLease(opened)
      const later = lease.expiresAt + LEASE_MS
      await instance.reserve([row('k', 5n)], lease)
      assert.deepEqual(await instance.renew('lease', { expiresAt: later }), YES)
      await passUntil(opened, lease.expiresAt)
      const [sum] = await instance.read(['k'])
      if (opened.now() < later) assert.equal(sum, 5n, 'after the old expiry')
      await passUntil(opened, later)
      await sums(instance, { k: 0n }, 'after the new expiry')
    },
  },
  {
    id: 'counters.renew.expires-sooner',
    promise: 'a lease may be renewed to end sooner, and another stays as it is',
    async check(opened) {
      await opened.instance.reserve([row('k', 5n)], longLease(opened, 'sooner'))
      await opened.instance.reserve([row('k', 3n)], longLease(opened, 'stays'))
      const { expiresAt } = shortLease(opened)
      assert.deepEqual(await opened.instance.renew('sooner', { expiresAt }), YES)
      await sums(opened.instance, { k: 8n }, 'before the new expiry')
      await passUntil(opened, expiresAt)
      await sums(opened.instance, { k: 3n }, 'after the new expiry')
    },
  },
  {
    id: 'counters.renew.again-and-again',
    promise: 'a lease that is renewed while it is in use counts for as long, and settles as any other',
    async check(opened) {
      const { instance } = opened
      await instance.reserve([row('k', 1n, 1n)], shortLease(opened))
      for (let beat = 1; beat <= 3; beat += 1) {
        await opened.advance(LEASE_MS / 2)
        assert.deepEqual(await instance.renew('lease', { expiresAt: opened.now() + LEASE_MS }), YES, `beat ${beat}`)
      }
      refused(await instance.reserve([row('k', 1n, 1n)], longLease(opened, 'other')), 'k', 0n, 'while it is in use')
      saysSettled(await instance.settle('lease', {}), true, 'its end')
      granted(await instance.reserve([row('k', 1n, 1n)], longLease(opened, 'other')), 'after its end')
    },
  },
  {
    id: 'counters.renew.keeps-id-taken',
    promise: 'the id of a renewed lease stays taken until its new expiry, also once it is settled',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('k', 5n)], lease)
      await opened.instance.renew('lease', { expiresAt: opened.now() + 600_000 })
      await opened.instance.settle('lease', { k: 1n })
      await passUntil(opened, lease.expiresAt)
      const again = () => opened.instance.reserve([row('k', 5n)], longLease(opened))
      await rejectsWith(again, 'CONFLICT', 'a reserve under the id after the old expiry')
      await sums(opened.instance, { k: 1n }, 'after the conflict')
    },
  },
  {
    id: 'counters.renew.replaces-amounts',
    promise:
      'renewed amounts are held instead, lower or higher; a key left out keeps its own, a key that stands twice counts once',
    async check(opened) {
      const { instance } = opened
      const rows = [row('down', 10n), row('up', 10n), row('kept', 10n), row('twice', 1n), row('twice', 2n)]
      await instance.reserve(rows, longLease(opened))
      assert.deepEqual(await instance.renew('lease', { amounts: { down: 0n, up: 25n, twice: 7n } }), YES)
      await sums(instance, { down: 0n, up: 25n, kept: 10n, twice: 7n }, 'renewed')
      assert.deepEqual(await instance.renew('lease', {}), YES, 'renewing nothing')
      await sums(instance, { down: 0n, up: 25n, kept: 10n, twice: 7n }, 'renewed by nothing')
      assert.deepEqual(
        changesOf(await instance.settle('lease', { down: 1n, up: 2n, kept: 3n })),
        [
          ['down', 0n, 1n],
          ['up', 0n, 2n],
          ['kept', 0n, 3n],
          ['twice', 0n, 0n],
        ],
        'settled after it was renewed',
      )
      await sums(instance, { down: 1n, up: 2n, kept: 3n, twice: 0n }, 'settled')
    },
  },
  {
    id: 'counters.renew.may-pass-limit',
    promise: 'renewed amounts may pass a limit; nothing is left then',
    async check(opened) {
      await opened.instance.reserve([row('k', 5n, 5n)], longLease(opened))
      assert.deepEqual(await opened.instance.renew('lease', { amounts: { k: 50n } }), YES)
      await sums(opened.instance, { k: 50n }, 'beyond its limit of 5')
      refused(await opened.instance.reserve([row('k', 1n, 5n)], longLease(opened, 'next')), 'k', 0n, 'beyond its limit')
    },
  },
  {
    id: 'counters.renew.gives-back-new-amounts',
    promise: 'at its expiry a renewed lease gives back what it holds then, and leaves what its rows expect',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('up', 5n), row('down', 5n), expecting('charged', 5n, 2n)], lease)
      await opened.instance.reserve([row('up', 100n), row('down', 100n)], longLease(opened, 'other'))
      await opened.instance.renew('lease', { amounts: { up: 9n, down: 1n, charged: 7n } })
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { up: 100n, down: 100n, charged: 2n }, 'after the expiry')
    },
  },
  {
    id: 'counters.renew.settle-until',
    promise: 'a lease may be renewed to be settled late, or to be settled late no more',
    async check(opened) {
      const { instance } = opened
      const lease = shortLease(opened, 'longer')
      await instance.reserve([expecting('longer', 9n, 4n)], lease)
      await instance.reserve([expecting('shorter', 9n, 4n)], { ...lateLease(opened, 'shorter'), expiresAt: lease.expiresAt })
      await instance.reserve([expecting('never', 9n, 4n)], longLease(opened, 'never'))
      assert.deepEqual(await instance.renew('never', { expiresAt: lease.expiresAt }), YES)
      assert.deepEqual(await instance.renew('longer', { settleUntil: opened.now() + 600_000 }), YES)
      assert.deepEqual(await instance.renew('shorter', { settleUntil: lease.expiresAt + LEASE_MS }), YES)
      await passUntil(opened, lease.expiresAt + LEASE_MS)
      saysSettled(await instance.settle('longer', { longer: 1n }), true, 'the one renewed to be settled late')
      saysSettled(await instance.settle('shorter', { shorter: 1n }), false, 'the one renewed to be settled late no more')
      saysSettled(await instance.settle('never', { never: 1n }), false, 'the one renewed to expire, and no more')
      await sums(instance, { longer: 1n, shorter: 4n, never: 4n }, 'after all three')
    },
  },
  {
    id: 'counters.renew.standing-leases-only',
    promise:
      'renewing a lease that is unknown, settled or expired changes nothing and says so, also one that may be settled late',
    async check(opened) {
      const { instance } = opened
      const renewal = { expiresAt: opened.now() + 600_000, amounts: { k: 50n } }
      await instance.reserve([row('k', 5n)], longLease(opened, 'settled'))
      await instance.settle('settled', { k: 1n })
      const short = shortLease(opened, 'expired')
      await instance.reserve([row('k', 5n)], short)
      const late = lateLease(opened, 'late')
      await instance.reserve([expecting('k', 5n, 2n)], late)
      assert.deepEqual(await instance.renew('unknown', renewal), NO, 'an unknown lease')
      assert.deepEqual(await instance.renew('settled', renewal), NO, 'a settled lease')
      await passUntil(opened, late.expiresAt)
      assert.deepEqual(await instance.renew('expired', renewal), NO, 'an expired lease')
      assert.deepEqual(await instance.renew('late', renewal), NO, 'an expired lease that may be settled')
      await sums(instance, { k: 3n }, 'after all four')
      saysSettled(await instance.settle('late', { k: 4n }), true, 'the late settlement')
      await sums(instance, { k: 5n }, 'after the late settlement')
    },
  },
  {
    id: 'counters.renew.foreign-key-invalid',
    promise: 'a key that the lease does not hold rejects INVALID_REQUEST and changes nothing',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('k', 5n)], lease)
      const renewal = { expiresAt: opened.now() + 600_000, amounts: { k: 1n, foreign: 1n } }
      await rejectsWith(() => opened.instance.renew('lease', renewal), 'INVALID_REQUEST', 'renew with a foreign key')
      await sums(opened.instance, { k: 5n, foreign: 0n }, 'after the rejection')
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 0n }, 'after the expiry')
    },
  },
  {
    id: 'counters.renew.negative-amount-invalid',
    promise: 'a negative amount rejects INVALID_REQUEST and changes nothing',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('a', 5n), row('b', 5n)], lease)
      const renewal = { expiresAt: opened.now() + 600_000, amounts: { a: 1n, b: -1n } }
      await rejectsWith(() => opened.instance.renew('lease', renewal), 'INVALID_REQUEST', 'renew at -1')
      await sums(opened.instance, { a: 5n, b: 5n }, 'after the rejection')
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { a: 0n, b: 0n }, 'after the expiry')
    },
  },
  {
    id: 'counters.renew.passed-expiry-invalid',
    promise: 'an expiry that is not later than now rejects INVALID_REQUEST and changes nothing',
    async check(opened) {
      await opened.advance(1)
      await opened.instance.reserve([row('k', 5n)], longLease(opened))
      for (const expiresAt of [opened.now() - 1, opened.now()]) {
        const renew = () => opened.instance.renew('lease', { expiresAt, amounts: { k: 1n } })
        await rejectsWith(renew, 'INVALID_REQUEST', `an expiry ${opened.now() - expiresAt} ms ago`)
      }
      await sums(opened.instance, { k: 5n }, 'after the rejections')
      assert.deepEqual(await opened.instance.renew('lease', { expiresAt: opened.now() + 60_000 }), YES, 'a right renewal')
    },
  },
  {
    id: 'counters.renew.window-forgets-leases',
    promise: 'renewing a lease of a window that has passed changes nothing in the next one',
    async check(opened) {
      const windowEnd = opened.now() + LEASE_MS
      await opened.instance.reserve([row('k', 5n, 5n, windowEnd), row('stays', 5n)], longLease(opened, 'old'))
      await passUntil(opened, windowEnd)
      const next = opened.now() + 60_000
      await opened.instance.reserve([row('k', 4n, 5n, next)], longLease(opened, 'new'))
      assert.deepEqual(await opened.instance.renew('old', { amounts: { k: 9n, stays: 9n } }), YES)
      await sums(opened.instance, { k: 4n, stays: 9n }, 'after the old lease was renewed')
    },
  },
  {
    id: 'counters.renew.aborted-signal',
    promise: 'renew under a signal that has aborted rejects ABORTED and changes nothing',
    async check(opened) {
      await opened.instance.reserve([row('k', 5n)], longLease(opened))
      await rejectsWith(() => opened.instance.renew('lease', { amounts: { k: 1n } }, ABORTED), 'ABORTED', 'renew')
      await sums(opened.instance, { k: 5n }, 'after an aborted renew')
    },
  },
]
