import assert from 'node:assert/strict'
import type { Counters } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import {
  AMPLE,
  changesOf,
  expecting,
  granted,
  LEASE_MS,
  longLease,
  passUntil,
  refused,
  row,
  saysSettled,
  shortLease,
  sums,
} from './rows.ts'

/** What replies tell beside yes and no. */
export const changeCases: readonly ConformanceCase<Counters>[] = [
  {
    id: 'counters.reserve.says-sums',
    promise:
      'a grant says the sum of each row after it, settled and reserved, in the order given, a key that stands twice twice',
    async check(opened) {
      const { instance } = opened
      const lease = (id: string) => longLease(opened, id)
      await instance.reserve([row('b', 1n), row('c', 10n)], lease('settled'))
      await instance.settle('settled', { b: 3n, c: 10n })
      await instance.reserve([row('b', 4n)], lease('held'))
      const said = await instance.reserve([row('c', 5n), row('b', 2n), row('a', 0n), row('b', 1n)], lease('asked'))
      assert.deepEqual(said, { granted: true, sums: [15n, 10n, 0n, 10n] })
      assert.deepEqual(await instance.reserve([], lease('empty')), { granted: true, sums: [] }, 'no rows, no sums')
    },
  },
  {
    id: 'counters.reserve.no-limit-counts',
    promise: 'a row without a limit counts and never refuses, and what it counted stands against limits of later calls',
    async check(opened) {
      const { instance } = opened
      const soft = { key: 'k', amount: AMPLE }
      granted(await instance.reserve([soft], longLease(opened, '1')), 'a row without a limit')
      granted(await instance.reserve([soft], longLease(opened, '2')), 'the same once more')
      await sums(instance, { k: 2n * AMPLE }, 'after two rows without limits')
      refused(await instance.reserve([row('k', 1n, 5n)], longLease(opened, '3')), 'k', 0n, 'a limit afterwards')
      const full = row('full', 1n, 0n)
      refused(await instance.reserve([soft, full], longLease(opened, '4')), 'full', 0n, 'a full row behind it')
      await sums(instance, { k: 2n * AMPLE, full: 0n }, 'after a full row refused')
    },
  },
  {
    id: 'counters.reserve.frees-at',
    promise: 'a refusal tells when the next unsettled lease of its row expires, where it tells',
    async check(opened) {
      const { instance } = opened
      const start = opened.now()
      const at = (id: string, ms: number) => ({ id, expiresAt: start + ms })
      await instance.reserve([row('other', 1n)], at('elsewhere', 100_000))
      await instance.reserve([row('k', 1n, 3n)], at('later', 400_000))
      await instance.reserve([row('k', 1n, 3n)], at('next', 200_000))
      await instance.reserve([row('k', 1n, 3n), row('other', 1n)], at('last', 600_000))
      const freesAt = async (id: string) => {
        const said = await instance.reserve([row('other', 0n), row('k', 5n, 3n)], longLease(opened, id))
        assert.equal(said.granted, false, 'a reserve beyond the limit')
        return said.freesAt
      }
      const tells = (await freesAt('1')) !== undefined
      const wanted = (ms: number) => (tells ? start + ms : undefined)
      assert.equal(await freesAt('2'), wanted(200_000), 'of three leases')
      await instance.settle('next', { k: 1n })
      assert.equal(await freesAt('3'), wanted(400_000), 'once the next was settled')
      await instance.renew('last', { expiresAt: start + 300_000 })
      assert.equal(await freesAt('4'), wanted(300_000), 'once another was renewed to end sooner')
      await instance.settle('last', { k: 1n, other: 0n })
      await instance.settle('later', { k: 1n })
      assert.equal(await freesAt('5'), undefined, 'once all were settled')
    },
  },
  {
    id: 'counters.settle.says-changes',
    promise:
      'a settlement says the settled sums of each key before and after it, one a key of the lease, in the order reserved',
    async check(opened) {
      const { instance } = opened
      await instance.reserve([row('a', 5n), row('b', 5n)], longLease(opened, 'first'))
      assert.deepEqual(changesOf(await instance.settle('first', { b: 2n, a: 7n })), [
        ['a', 0n, 7n],
        ['b', 0n, 2n],
      ])
      await instance.reserve([row('a', 100n), row('b', 100n)], longLease(opened, 'held'))
      const rows = [row('c', 1n), row('b', 1n), row('a', 1n), row('b', 1n)]
      await instance.reserve(rows, longLease(opened, 'second'))
      assert.deepEqual(changesOf(await instance.settle('second', { b: 4n, a: 0n })), [
        ['c', 0n, 0n],
        ['b', 2n, 6n],
        ['a', 7n, 7n],
      ])
    },
  },
  {
    id: 'counters.settle.parallel-changes-chain',
    promise: 'of settlements at once, each begins where another ended, so that one and only one sees a threshold crossed',
    async check(opened) {
      const { instance } = opened
      const ids = Array.from({ length: 50 }, (_, at) => `${at}`)
      await Promise.all(ids.map((id) => instance.reserve([row('k', 9n)], longLease(opened, id))))
      const said = await Promise.all(ids.map((id) => instance.settle(id, { k: 2n })))
      const steps = said.flatMap(changesOf).sort(([, one], [, other]) => Number(one - other))
      assert.deepEqual(
        steps,
        ids.map((_, at) => ['k', BigInt(at) * 2n, BigInt(at) * 2n + 2n]),
      )
    },
  },
  {
    id: 'counters.settle.changes-of-standing-windows',
    promise: 'the changes of a settlement leave out rows whose window has passed',
    async check(opened) {
      const windowEnd = opened.now() + LEASE_MS
      await opened.instance.reserve([row('gone', 5n, 5n, windowEnd), row('stays', 5n)], longLease(opened))
      await passUntil(opened, windowEnd)
      const said = await opened.instance.settle('lease', { gone: 4n, stays: 3n })
      assert.deepEqual(changesOf(said), [['stays', 0n, 3n]])
    },
  },
  {
    id: 'counters.settle.forgets-expected',
    promise: 'a lease that was settled in time leaves nothing more behind when it would have expired',
    async check(opened) {
      const lease = shortLease(opened)
      await opened.instance.reserve([expecting('k', 9n, 5n)], lease)
      saysSettled(await opened.instance.settle('lease', { k: 2n }), true, 'the settlement')
      await passUntil(opened, lease.expiresAt)
      await sums(opened.instance, { k: 2n }, 'after the lease would have expired')
    },
  },
  {
    id: 'counters.reserve.common-tag',
    promise: 'keys and leases that bear one tag are whole keys and leases, in every operation',
    async check(opened) {
      const { instance } = opened
      const keys = ['{tag}', '{tag}a', '{tag}A', '{tag}:a:b', 'a{tag}']
      const rows = keys.map((key, at) => expecting(key, BigInt(at + 1), 100n))
      const settle = { ...longLease(opened, '{tag}settle') }
      const expire = { ...shortLease(opened, '{tag}expire'), settleUntil: opened.now() + 600_000, note: 'tagged' }
      granted(await instance.reserve(rows, settle), 'a tagged lease')
      assert.deepEqual([...(await instance.read(keys))], [1n, 2n, 3n, 4n, 5n], 'tagged keys')
      assert.deepEqual(await instance.renew(settle.id, { amounts: { '{tag}a': 9n } }), { renewed: true })
      const amounts = Object.fromEntries(keys.map((key, at) => [key, BigInt(at + 11)]))
      saysSettled(await instance.settle(settle.id, amounts), true, 'the tagged lease')
      assert.deepEqual([...(await instance.read(keys))], [11n, 12n, 13n, 14n, 15n], 'tagged keys, settled')
      granted(await instance.reserve([expecting('{tag}a', 1n, 8n)], expire), 'another tagged lease')
      await passUntil(opened, expire.expiresAt)
      assert.deepEqual(
        (await instance.expired()).map(({ id }) => id),
        [expire.id],
      )
      await instance.acknowledge([expire.id])
      assert.deepEqual([...(await instance.expired())], [], 'after it was acknowledged')
      assert.deepEqual(changesOf(await instance.settle(expire.id, { '{tag}a': 1n })), [['{tag}a', 20n, 13n]])
    },
  },
]
