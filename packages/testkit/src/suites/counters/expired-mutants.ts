import { type Counters, type ExpiredLease, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { type Beside, expectedOf, type Granted, lists, mutant, reads } from './wrap.ts'

/** Lists leases that do not belong there. */
function listsMore(right: Counters, { held }: Beside, which: (granted: Granted) => boolean): Partial<Counters> {
  return lists(right, (list) => {
    const more = [...held.values()].filter((granted) => which(granted) && !list.some(({ id }) => id === granted.lease.id))
    return [...list, ...more.map(({ lease }): ExpiredLease => listing(lease.id, lease.expiresAt))]
  })
}

function listing(id: string, expiredAt: number): ExpiredLease {
  return { id, expiredAt, note: undefined, changes: [] }
}

/** The list without leases that a mutant takes for acknowledged. */
function hides(right: Counters, hidden: (id: string) => boolean): Partial<Counters> {
  return lists(right, (list) => list.filter(({ id }) => !hidden(id)))
}

export const expiredMutants: readonly Mutant<Counters>[] = [
  mutant('drops-notes', 'counters.expired.says-what-it-charged', (right) =>
    lists(right, (list) => list.map((one) => ({ ...one, note: undefined }))),
  ),
  mutant('notes-in-ascii', 'counters.expired.says-what-it-charged', (right) =>
    lists(right, (list) => list.map((one) => ({ ...one, note: one.note?.replace(/[^ -~]/g, '?') }))),
  ),
  mutant('note-empty-by-default', 'counters.expired.says-what-it-charged', (right) =>
    lists(right, (list) => list.map((one) => ({ ...one, note: one.note ?? '' }))),
  ),
  mutant('says-when-it-looked', 'counters.expired.says-what-it-charged', (right, { now }) =>
    lists(right, (list) => list.map((one) => ({ ...one, expiredAt: now() }))),
  ),
  mutant('charges-from-zero', 'counters.expired.says-what-it-charged', (right) =>
    lists(right, (list) =>
      list.map((one) => ({
        ...one,
        changes: one.changes.map(({ key, before, after }) => ({ key, before: 0n, after: after - before })),
      })),
    ),
  ),
  mutant('charges-count-reserved', 'counters.expired.says-what-it-charged', (right) => ({
    async expired(options) {
      const list = await right.expired(options)
      const keys = [...new Set(list.flatMap(({ changes }) => changes.map(({ key }) => key)))]
      const sums = await right.read(keys)
      return list.map((one) => ({
        ...one,
        changes: one.changes.map((change) => ({ ...change, after: sums[keys.indexOf(change.key)] ?? 0n })),
      }))
    },
  })),
  mutant('lists-standing-leases', 'counters.expired.charged-ones-only', (right, beside) =>
    listsMore(right, beside, ({ lease }) => lease.expiresAt > beside.now()),
  ),
  mutant('lists-leases-that-expected-nothing', 'counters.expired.charged-ones-only', (right, beside) =>
    listsMore(
      right,
      beside,
      ({ rows, lease }) => lease.expiresAt <= beside.now() && rows.every(({ expected = 0n }) => expected === 0n),
    ),
  ),
  mutant('lists-settled-leases', 'counters.expired.charged-ones-only', (right, beside) => {
    const settled = new Set<string>()
    return {
      ...listsMore(right, beside, ({ lease }) => settled.has(lease.id)),
      settle(leaseId, amounts, options) {
        settled.add(leaseId)
        return right.settle(leaseId, amounts, options)
      },
    }
  }),
  mutant('lists-refused-leases', 'counters.expired.charged-ones-only', (right) => {
    const refused: ExpiredLease[] = []
    return {
      ...lists(right, (list) => [...list, ...refused]),
      async reserve(rows, lease, options) {
        const said = await right.reserve(rows, lease, options)
        if (!said.granted) refused.push(listing(lease.id, lease.expiresAt))
        return said
      },
    }
  }),
  mutant('lists-newest-first', 'counters.expired.oldest-first', (right) => lists(right, (list) => [...list].reverse())),
  mutant('lists-in-order-of-reserves', 'counters.expired.oldest-first', (right, { held }) =>
    lists(right, (list) => {
      const order = [...held.keys()]
      return [...list].sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id))
    }),
  ),
  mutant('lists-at-most-100', 'counters.expired.at-most-1000', (right) => lists(right, (list) => list.slice(0, 100))),
  mutant('lists-without-end', 'counters.expired.at-most-1000', (right) => ({
    async expired(options) {
      const all: ExpiredLease[] = []
      for (let list = await right.expired(options); list.length > 0; list = await right.expired(options)) {
        all.push(...list)
        await right.acknowledge(list.map(({ id }) => id))
      }
      return all
    },
  })),
  mutant('lists-youngest-in-place-of-oldest', 'counters.expired.at-most-1000', (right, { held, now }) =>
    lists(right, (list) => {
      const youngest = [...held.values()].findLast(({ lease }) => lease.expiresAt <= now())
      return list.length < 1000 || youngest === undefined
        ? list
        : [...list.slice(1), listing(youngest.lease.id, youngest.lease.expiresAt)]
    }),
  ),
  mutant('acknowledges-what-was-not-listed', 'counters.expired.at-most-1000', (right) => ({
    async acknowledge(leaseIds, options) {
      await right.acknowledge(leaseIds, options)
      await right.acknowledge((await right.expired()).map(({ id }) => id))
    },
  })),
  mutant('listing-takes-off', 'counters.expired.takes-nothing-off', (right) => ({
    async expired(options) {
      const list = await right.expired(options)
      await right.acknowledge(list.map(({ id }) => id))
      return list
    },
  })),
  mutant('listing-ends-lease', 'counters.expired.takes-nothing-off', (right) => {
    const listed = new Set<string>()
    return {
      ...lists(right, (list) => {
        for (const { id } of list) listed.add(id)
        return list
      }),
      settle: async (leaseId, amounts, options) =>
        listed.has(leaseId) ? { settled: false } : right.settle(leaseId, amounts, options),
    }
  }),
  mutant('lists-though-settled-late', 'counters.expired.until-settled', (right, beside) => {
    const settled = new Set<string>()
    return {
      ...listsMore(right, beside, ({ lease }) => settled.has(lease.id)),
      async settle(leaseId, amounts, options) {
        const late = (await right.expired()).some(({ id }) => id === leaseId)
        if (late) settled.add(leaseId)
        return right.settle(leaseId, amounts, options)
      },
    }
  }),
  mutant('late-settle-clears-list', 'counters.expired.until-settled', (right) => ({
    async settle(leaseId, amounts, options) {
      const said = await right.settle(leaseId, amounts, options)
      await right.acknowledge((await right.expired()).map(({ id }) => id))
      return said
    },
  })),
  mutant('unlists-what-settles-no-more', 'counters.expired.outlasts-settle-until', (right, { held, now }) =>
    hides(right, (id) => (held.get(id)?.lease.settleUntil ?? Number.POSITIVE_INFINITY) <= now()),
  ),
  mutant('lists-what-settles-late-only', 'counters.expired.outlasts-settle-until', (right, { held }) =>
    hides(right, (id) => held.get(id)?.lease.settleUntil === undefined),
  ),
  mutant('expired-ignores-abort', 'counters.expired.aborted-signal', (right) => ({ expired: () => right.expired() })),
  mutant('acknowledges-nothing', 'counters.acknowledge.takes-off-list', () => ({ acknowledge: async () => {} })),
  mutant('acknowledges-the-first-only', 'counters.acknowledge.takes-off-list', (right) => ({
    acknowledge: (leaseIds, options) => right.acknowledge(leaseIds.slice(0, 2), options),
  })),
  mutant('acknowledges-all', 'counters.acknowledge.takes-off-list', (right) => ({
    acknowledge: async (_, options) =>
      right.acknowledge(
        (await right.expired()).map(({ id }) => id),
        options,
      ),
  })),
  mutant('acknowledging-gives-back', 'counters.acknowledge.takes-off-list', (right, beside) => {
    const acknowledged = new Set<string>()
    return {
      ...reads(right, beside, (granted, key) => (acknowledged.has(granted.lease.id) ? -expectedOf(granted, key) : 0n)),
      acknowledge(leaseIds, options) {
        for (const id of leaseIds) acknowledged.add(id)
        return right.acknowledge(leaseIds, options)
      },
    }
  }),
  mutant('acknowledge-rejects-unknown-ids', 'counters.acknowledge.takes-off-list', (right, { held }) => ({
    async acknowledge(leaseIds, options) {
      if (leaseIds.some((id) => !held.has(id))) throw new SwitchyardError('NOT_FOUND', 'unknown lease')
      return right.acknowledge(leaseIds, options)
    },
  })),
  mutant('acknowledging-ends-lease', 'counters.acknowledge.settles-late-still', (right) => {
    const ended = new Set<string>()
    return {
      acknowledge(leaseIds, options) {
        for (const id of leaseIds) ended.add(id)
        return right.acknowledge(leaseIds, options)
      },
      settle: async (leaseId, amounts, options) =>
        ended.has(leaseId) ? { settled: false } : right.settle(leaseId, amounts, options),
    }
  }),
  mutant('acknowledges-ahead', 'counters.acknowledge.spares-standing-leases', (right) => {
    const hidden = new Set<string>()
    return {
      ...hides(right, (id) => hidden.has(id)),
      acknowledge(leaseIds, options) {
        for (const id of leaseIds) hidden.add(id)
        return right.acknowledge(leaseIds, options)
      },
    }
  }),
  mutant('acknowledging-ends-standing-lease', 'counters.acknowledge.spares-standing-leases', (right) => ({
    async acknowledge(leaseIds, options) {
      for (const id of leaseIds) await right.settle(id, {})
      return right.acknowledge(leaseIds, options)
    },
  })),
  mutant('acknowledge-ignores-abort', 'counters.acknowledge.aborted-signal', (right) => ({
    acknowledge: (leaseIds) => right.acknowledge(leaseIds),
  })),
  mutant('acknowledge-looks-at-abort-too-late', 'counters.acknowledge.aborted-signal', (right) => ({
    async acknowledge(leaseIds, options) {
      await right.acknowledge(leaseIds)
      return right.acknowledge([], options)
    },
  })),
]
