import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { granted, LEASE_MS, longLease, passUntil, refused, row, saysSettled, shortLease, sums } from './rows.ts'

const ABORTED = { signal: AbortSignal.abort() }

export const leaseCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.reserve.lease-holds-until-expiry',
    promise: 'an unsettled lease holds its amounts up to the last millisecond before it expires',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('k', 5n)], lease)
      for (const step of [LEASE_MS / 2, LEASE_MS / 2 - 1]) {
        await opened.advance(step)
        const [sum] = await opened.instance.read(['k'])
        // On a clock that goes by itself, the reply tells only while it is surely early.
        if (opened.now() < lease.expiresAt) assert.equal(sum, 5n, `${lease.expiresAt - opened.now()} ms before expiry`)
      }
    },
  },
  {
    id: 'counters.reserve.lease-expiry-gives-back',
    promise: 'from its expiry an unsettled lease gives back what it held in every row, and no other lease does',
    async check(opened) {
      const lease = shortLease(opened, 'expires')
      await opened.instance.reserve([row('a', 5n, 5n), row('b', 7n)], lease)
      await opened.instance.reserve([row('b', 100n)], longLease(opened, 'stays'))
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { a: 0n, b: 100n }, 'after the expiry')
      granted(await opened.instance.reserve([row('a', 5n, 5n)], longLease(opened, 'next')), 'the whole limit again')
    },
  },
  {
    id: 'counters.reserve.lease-id-conflicts',
    promise: 'reserving twice under one lease id rejects CONFLICT and changes nothing',
    async check(opened) {
      await opened.instance.reserve([row('a', 1n)], longLease(opened))
      const again = [row('a', 10n), row('b', 10n)]
      await rejectsWith(() => opened.instance.reserve(again, longLease(opened)), 'CONFLICT', 'the second reserve')
      await sums(opened.instance, { a: 1n, b: 0n }, 'after the conflict')
      saysSettled(await opened.instance.settle('lease', { a: 3n }), true, 'the first lease still settles')
      await sums(opened.instance, { a: 3n, b: 0n }, 'after the settlement')
    },
  },
  {
    id: 'counters.reserve.settled-id-conflicts',
    promise: 'a settled lease keeps its id taken until it would have expired',
    async check(opened) {
      await opened.instance.reserve([row('k', 1n)], longLease(opened))
      await opened.instance.settle('lease', { k: 1n })
      await rejectsWith(
        () => opened.instance.reserve([row('k', 1n)], longLease(opened)),
        'CONFLICT',
        'a reserve under a settled id',
      )
      await sums(opened.instance, { k: 1n }, 'after the conflict')
    },
  },
  {
    id: 'counters.reserve.refused-id-free',
    promise: 'a refused reserve leaves its lease id free, and nothing to settle',
    async check(opened) {
      refused(await opened.instance.reserve([row('k', 9n, 5n)], longLease(opened)), 'k', 5n, 'too much')
      saysSettled(await opened.instance.settle('lease', {}), false, 'settling what was refused')
      granted(await opened.instance.reserve([row('k', 5n, 5n)], longLease(opened)), 'less, under the same id')
    },
  },
  {
    id: 'counters.settle.replaces-amounts',
    promise: 'settling replaces reserved amounts by the true ones, lower or higher, and says so',
    async check(opened) {
      await opened.instance.reserve([row('down', 10n), row('up', 10n), row('same', 10n)], longLease(opened))
      saysSettled(await opened.instance.settle('lease', { down: 3n, up: 25n, same: 10n }), true, 'the settlement')
      await sums(opened.instance, { down: 3n, up: 25n, same: 10n }, 'settled')
    },
  },
  {
    id: 'counters.settle.from-zero',
    promise: 'a lease that reserved 0 holds its row, and settles it higher, whatever came and went meanwhile',
    async check(opened) {
      granted(await opened.instance.reserve([row('k', 0n)], longLease(opened, 'zero')), 'a reserve of 0')
      await opened.instance.reserve([row('k', 5n)], longLease(opened, 'other'))
      await opened.instance.settle('other', {})
      saysSettled(await opened.instance.settle('zero', { k: 3n }), true, 'the settlement')
      await sums(opened.instance, { k: 3n }, 'settled up from 0')
    },
  },
  {
    id: 'counters.settle.left-out-counts-zero',
    promise: 'a key left out of the settlement counts 0, all of them if it is empty',
    async check(opened) {
      await opened.instance.reserve([row('a', 10n), row('b', 10n)], longLease(opened, '1'))
      saysSettled(await opened.instance.settle('1', { a: 4n }), true, 'the settlement')
      await sums(opened.instance, { a: 4n, b: 0n }, 'b was left out')
      await opened.instance.reserve([row('a', 10n), row('b', 10n)], longLease(opened, '2'))
      saysSettled(await opened.instance.settle('2', {}), true, 'the settlement')
      await sums(opened.instance, { a: 4n, b: 0n }, 'both were left out')
    },
  },
  {
    id: 'counters.settle.outlasts-lease',
    promise: 'settled amounts stay when the lease would have expired',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('k', 10n)], lease)
      await opened.instance.settle('lease', { k: 4n })
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 4n }, 'after the lease would have expired')
    },
  },
  {
    id: 'counters.settle.may-pass-limit',
    promise: 'true amounts may pass a limit; what is left is then 0, never below',
    async check(opened) {
      await opened.instance.reserve([row('k', 5n, 5n)], longLease(opened, '1'))
      saysSettled(await opened.instance.settle('1', { k: 50n }), true, 'the settlement')
      await sums(opened.instance, { k: 50n }, 'beyond its limit of 5')
      refused(await opened.instance.reserve([row('k', 1n, 5n)], longLease(opened, '2')), 'k', 0n, 'beyond its limit')
    },
  },
  {
    id: 'counters.settle.once',
    promise: 'a second settlement changes nothing and says so',
    async check(opened) {
      await opened.instance.reserve([row('k', 10n)], longLease(opened))
      await opened.instance.settle('lease', { k: 4n })
      saysSettled(await opened.instance.settle('lease', { k: 7n }), false, 'the settlement')
      await sums(opened.instance, { k: 4n }, 'after the second settlement')
    },
  },
  {
    id: 'counters.settle.parallel-once',
    promise: 'of settlements of one lease at once, exactly one counts',
    async check(opened) {
      await opened.instance.reserve([row('k', 1000n)], longLease(opened))
      const amounts = Array.from({ length: 20 }, (_, at) => BigInt(at + 1))
      const said = await Promise.all(amounts.map((k) => opened.instance.settle('lease', { k })))
      const winners = amounts.filter((_, at) => said[at]?.settled)
      assert.equal(winners.length, 1, 'settlements that counted')
      await sums(opened.instance, { k: winners[0] as bigint }, 'that of the one that counted')
    },
  },
  {
    id: 'counters.settle.after-expiry',
    promise: 'a settlement after the lease expired changes nothing and says so',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([row('k', 10n)], lease)
      await passUntil(opened, lease.expiresAt)
      saysSettled(await opened.instance.settle('lease', { k: 4n }), false, 'the settlement')
      await sums(opened.instance, { k: 0n }, 'after a late settlement')
    },
  },
  {
    id: 'counters.settle.unknown-lease',
    promise: 'settling a lease that was never reserved changes nothing and says so',
    async check({ instance }) {
      saysSettled(await instance.settle('unknown', { k: 4n }), false, 'the settlement')
      await sums(instance, { k: 0n }, 'after settling an unknown lease')
    },
  },
  {
    id: 'counters.settle.foreign-key-invalid',
    promise: 'a key that the lease did not hold rejects INVALID_REQUEST, and the lease stays to be settled',
    async check(opened) {
      await opened.instance.reserve([row('k', 10n)], longLease(opened))
      const foreign = { k: 4n, foreign: 1n }
      await rejectsWith(() => opened.instance.settle('lease', foreign), 'INVALID_REQUEST', 'settle with a foreign key')
      await sums(opened.instance, { k: 10n, foreign: 0n }, 'after the rejection')
      saysSettled(await opened.instance.settle('lease', { k: 4n }), true, 'a right settlement afterwards')
    },
  },
  {
    id: 'counters.settle.negative-amount-invalid',
    promise: 'a negative true amount rejects INVALID_REQUEST, and the lease stays to be settled',
    async check(opened) {
      await opened.instance.reserve([row('k', 10n)], longLease(opened))
      await rejectsWith(() => opened.instance.settle('lease', { k: -1n }), 'INVALID_REQUEST', 'settle at -1')
      await sums(opened.instance, { k: 10n }, 'after the rejection')
      saysSettled(await opened.instance.settle('lease', { k: 4n }), true, 'a right settlement afterwards')
    },
  },
  {
    id: 'counters.settle.aborted-signal',
    promise: 'settle under a signal that has aborted rejects ABORTED, and the lease stays to be settled',
    async check(opened) {
      await opened.instance.reserve([row('k', 10n)], longLease(opened))
      await rejectsWith(() => opened.instance.settle('lease', { k: 4n }, ABORTED), 'ABORTED', 'settle')
      await sums(opened.instance, { k: 10n }, 'after an aborted settle')
      saysSettled(await opened.instance.settle('lease', { k: 4n }), true, 'a settlement afterwards')
    },
  },
]
