import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { granted, longLease, refused, row, saysSettled, sums } from './rows.ts'

const ABORTED = { signal: AbortSignal.abort() }

/** Keys that an implementation may confuse or take for its own. */
export const TRICKY_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'a',
  'A',
  'a ',
  'a:b',
  'a:b:c',
  'a*',
  '{a',
  'a}',
  'a,b',
  'a\nb',
  'caf\u00e9',
  'cafe\u0301',
  'x'.repeat(512),
]

export const reserveCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.capabilities.well-formed',
    promise: 'capabilities say whether state is shared',
    async check({ instance }) {
      assert.equal(typeof instance.capabilities.shared, 'boolean', 'capabilities.shared')
    },
  },
  {
    id: 'counters.read.unknown-key-zero',
    promise: 'an unknown key reads 0',
    async check({ instance }) {
      await sums(instance, { unknown: 0n }, 'never reserved')
      assert.deepEqual([...(await instance.read([]))], [], 'no keys, no sums')
    },
  },
  {
    id: 'counters.read.order-of-keys',
    promise: 'sums come in the order of the keys, a key asked twice twice',
    async check(opened) {
      await opened.instance.reserve([row('a', 1n), row('b', 2n)], longLease(opened))
      assert.deepEqual([...(await opened.instance.read(['b', 'unknown', 'a', 'b']))], [2n, 0n, 1n, 2n])
    },
  },
  {
    id: 'counters.reserve.adds-up',
    promise: 'granted amounts add up over leases, row by row, and can be read at once',
    async check(opened) {
      granted(await opened.instance.reserve([row('a', 1n), row('b', 10n)], longLease(opened, '1')), 'the first')
      granted(await opened.instance.reserve([row('a', 2n)], longLease(opened, '2')), 'the second')
      await sums(opened.instance, { a: 3n, b: 10n }, 'after two leases')
    },
  },
  {
    id: 'counters.reserve.reaches-limit',
    promise: 'a sum may reach its limit, by one lease or by several',
    async check(opened) {
      granted(await opened.instance.reserve([row('whole', 5n, 5n)], longLease(opened, '1')), 'the whole limit')
      granted(await opened.instance.reserve([row('parts', 2n, 5n)], longLease(opened, '2')), 'a part')
      granted(await opened.instance.reserve([row('parts', 3n, 5n)], longLease(opened, '3')), 'the rest')
      await sums(opened.instance, { whole: 5n, parts: 5n }, 'at their limits')
    },
  },
  {
    id: 'counters.reserve.passes-no-limit',
    promise: 'a sum may not pass its limit by one, and the refusal says what was left',
    async check(opened) {
      refused(await opened.instance.reserve([row('k', 6n, 5n)], longLease(opened, '1')), 'k', 5n, 'one more than the limit')
      granted(await opened.instance.reserve([row('k', 2n, 5n)], longLease(opened, '2')), 'a part')
      refused(await opened.instance.reserve([row('k', 4n, 5n)], longLease(opened, '3')), 'k', 3n, 'one more than was left')
      granted(await opened.instance.reserve([row('k', 3n, 5n)], longLease(opened, '4')), 'what was left')
      refused(await opened.instance.reserve([row('k', 1n, 5n)], longLease(opened, '5')), 'k', 0n, 'one more than nothing')
    },
  },
  {
    id: 'counters.reserve.zero-limit',
    promise: 'a limit of 0 lets nothing through but 0',
    async check(opened) {
      refused(await opened.instance.reserve([row('k', 1n, 0n)], longLease(opened, '1')), 'k', 0n, '1 of 0')
      granted(await opened.instance.reserve([row('k', 0n, 0n)], longLease(opened, '2')), '0 of 0')
    },
  },
  {
    id: 'counters.reserve.limit-of-each-call',
    promise: 'the limit is the one of the call: a later call may bring a lower or a higher one',
    async check(opened) {
      granted(await opened.instance.reserve([row('k', 5n, 10n)], longLease(opened, '1')), 'under 10')
      refused(await opened.instance.reserve([row('k', 1n, 3n)], longLease(opened, '2')), 'k', 0n, 'under 3')
      granted(await opened.instance.reserve([row('k', 15n, 20n)], longLease(opened, '3')), 'under 20')
    },
  },
  {
    id: 'counters.reserve.all-or-nothing',
    promise: 'where one row refuses, none changes, wherever it stands',
    async check(opened) {
      await opened.instance.reserve([row('full', 5n, 5n)], longLease(opened, 'first'))
      const full = row('full', 1n, 5n)
      for (const [at, rows] of [
        [full, row('a', 1n), row('b', 1n)],
        [row('a', 1n), full, row('b', 1n)],
        [row('a', 1n), row('b', 1n), full],
      ].entries()) {
        refused(await opened.instance.reserve(rows, longLease(opened, `${at}`)), 'full', 0n, `refusing at ${at}`)
        await sums(opened.instance, { a: 0n, b: 0n, full: 5n }, `refused at ${at}`)
      }
    },
  },
  {
    id: 'counters.reserve.first-refusing-row',
    promise: 'of several refusing rows, the refusal names the first in the order given',
    async check(opened) {
      const one = row('one', 9n, 1n)
      const two = row('two', 9n, 2n)
      const fits = row('fits', 1n)
      refused(await opened.instance.reserve([fits, two, one], longLease(opened, '1')), 'two', 2n, 'two before one')
      refused(await opened.instance.reserve([one, fits, two], longLease(opened, '2')), 'one', 1n, 'one before two')
    },
  },
  {
    id: 'counters.reserve.repeated-key-adds-up',
    promise: 'a key that stands twice in one reserve counts both amounts, against its limit and in its sum',
    async check(opened) {
      const over = await opened.instance.reserve([row('k', 3n, 5n), row('k', 3n, 5n)], longLease(opened, '1'))
      assert.equal(over.granted, false, '3 and 3 of 5')
      await sums(opened.instance, { k: 0n }, 'after the refusal')
      granted(await opened.instance.reserve([row('k', 3n, 5n), row('k', 2n, 5n)], longLease(opened, '2')), '3 and 2 of 5')
      await sums(opened.instance, { k: 5n }, 'after 3 and 2')
      saysSettled(await opened.instance.settle('2', { k: 1n }), true, 'the settlement')
      await sums(opened.instance, { k: 1n }, 'after settling both at 1')
    },
  },
  {
    id: 'counters.reserve.negative-amount-invalid',
    promise: 'a negative amount rejects INVALID_REQUEST and changes no row',
    async check(opened) {
      await opened.instance.reserve([row('k', 5n)], longLease(opened, '1'))
      const negative = [row('other', 1n), row('k', -1n)]
      await rejectsWith(() => opened.instance.reserve(negative, longLease(opened, '2')), 'INVALID_REQUEST', 'reserve of -1')
      await sums(opened.instance, { k: 5n, other: 0n }, 'after the rejection')
    },
  },
  {
    id: 'counters.reserve.exact-beyond-doubles',
    promise: 'amounts, sums and limits are exact beyond 2^53',
    async check(opened) {
      const limit = 2n ** 60n
      granted(await opened.instance.reserve([row('k', limit - 1n, limit)], longLease(opened, '1')), 'all but one')
      await sums(opened.instance, { k: limit - 1n }, 'all but one')
      refused(await opened.instance.reserve([row('k', 2n, limit)], longLease(opened, '2')), 'k', 1n, 'two more')
      granted(await opened.instance.reserve([row('k', 1n, limit)], longLease(opened, '3')), 'the last one')
      await opened.instance.settle('1', { k: limit - 2n })
      await sums(opened.instance, { k: limit - 1n }, 'settled at one less')
    },
  },
  {
    id: 'counters.reserve.keys-distinct',
    promise: 'keys are compared exactly, in reserve, settle and read',
    async check(opened) {
      const amounts = TRICKY_KEYS.map((key, at) => [key, BigInt(at + 1)] as const)
      granted(
        await opened.instance.reserve(
          amounts.map(([key, amount]) => row(key, amount)),
          longLease(opened),
        ),
        'all of them',
      )
      const reserved = await opened.instance.read(TRICKY_KEYS)
      assert.deepEqual(
        [...reserved],
        amounts.map(([, amount]) => amount),
        'reserved',
      )
      const settled = Object.fromEntries(amounts.map(([key, amount]) => [key, amount * 100n]))
      saysSettled(await opened.instance.settle('lease', settled), true, 'the settlement')
      assert.deepEqual(
        [...(await opened.instance.read(TRICKY_KEYS))],
        amounts.map(([, amount]) => amount * 100n),
        'settled',
      )
    },
  },
  {
    id: 'counters.reserve.aborted-signal',
    promise: 'reserve under a signal that has aborted rejects ABORTED and changes nothing',
    async check(opened) {
      await rejectsWith(() => opened.instance.reserve([row('k', 1n)], longLease(opened), ABORTED), 'ABORTED', 'reserve')
      await sums(opened.instance, { k: 0n }, 'after an aborted reserve')
      granted(await opened.instance.reserve([row('k', 1n)], longLease(opened)), 'the same lease, not aborted')
    },
  },
  {
    id: 'counters.read.aborted-signal',
    promise: 'read under a signal that has aborted rejects ABORTED',
    async check({ instance }) {
      await rejectsWith(() => instance.read(['k'], ABORTED), 'ABORTED', 'read')
    },
  },
]
