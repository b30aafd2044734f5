import type { Counters } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { confusesKeys, expectedOf, frees, type Granted, grants, mutant, reads, reserves, settlesSaying } from './wrap.ts'

/** The expiries of leases in a row, as they were at first. */
function endsOf(held: Iterable<Granted>, key: string): number[] {
  return [...held].filter(({ rows }) => rows.some((row) => row.key === key)).map(({ lease }) => lease.expiresAt)
}

/** Counters that remember which leases were settled, and say of the others when one of a row ends. */
function freesUnsettled(right: Counters, held: ReadonlyMap<string, Granted>): Partial<Counters> {
  const settled = new Set<string>()
  return {
    ...frees(right, ({ key }) => {
      const ends = endsOf(
        [...held.values()].filter(({ lease }) => !settled.has(lease.id)),
        key,
      )
      return ends.length === 0 ? undefined : Math.min(...ends)
    }),
    settle(leaseId, amounts, options) {
      settled.add(leaseId)
      return right.settle(leaseId, amounts, options)
    },
  }
}

export const changeMutants: readonly Mutant<Counters>[] = [
  mutant('says-sums-before', 'counters.reserve.says-sums', (right) => ({
    async reserve(rows, lease, options) {
      const sums = await right.read(rows.map(({ key }) => key))
      const said = await right.reserve(rows, lease, options)
      return said.granted ? { ...said, sums } : said
    },
  })),
  mutant('says-own-amounts', 'counters.reserve.says-sums', (right) =>
    grants(right, (_, rows) => rows.map(({ amount }) => amount)),
  ),
  mutant('says-sums-once-a-key', 'counters.reserve.says-sums', (right) =>
    grants(right, (sums, rows) => sums.filter((_, at) => rows.findIndex(({ key }) => key === rows[at]?.key) === at)),
  ),
  mutant('says-sums-in-key-order', 'counters.reserve.says-sums', (right) =>
    grants(right, (sums, rows) =>
      rows
        .map(({ key }, at) => [key, sums[at] as bigint] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, sum]) => sum),
    ),
  ),
  mutant('says-running-sums', 'counters.reserve.says-sums', (right) =>
    grants(right, (sums, rows) =>
      sums.map((sum, at) =>
        rows.slice(at + 1).reduce((left, { key, amount }) => (key === rows[at]?.key ? left - amount : left), sum),
      ),
    ),
  ),
  mutant('takes-no-limit-for-zero', 'counters.reserve.no-limit-counts', (right) =>
    reserves(right, (row) => ({ ...row, limit: row.limit ?? 0n })),
  ),
  mutant('takes-no-limit-for-many', 'counters.reserve.no-limit-counts', (right) =>
    reserves(right, (row) => ({ ...row, limit: row.limit ?? 10n ** 18n })),
  ),
  mutant('counts-no-row-without-limit', 'counters.reserve.no-limit-counts', (right) =>
    reserves(right, (row) => (row.limit === undefined ? { ...row, amount: 0n } : row)),
  ),
  mutant('counts-without-limit-though-refused', 'counters.reserve.no-limit-counts', (right, { ownLease }) => ({
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      const soft = rows.filter(({ limit }) => limit === undefined)
      if (!said.granted) await right.reserve(soft, ownLease())
      return said
    },
  })),
  mutant('frees-at-last-expiry', 'counters.reserve.frees-at', (right, { held }) =>
    frees(right, ({ key }) => Math.max(...endsOf(held.values(), key))),
  ),
  mutant('frees-at-expiry-of-any-row', 'counters.reserve.frees-at', (right, { held }) =>
    frees(right, () => Math.min(...[...held.values()].map(({ lease }) => lease.expiresAt))),
  ),
  mutant('frees-at-expiry-of-settled-lease', 'counters.reserve.frees-at', (right, { held }) =>
    frees(right, ({ key }) => Math.min(...endsOf(held.values(), key))),
  ),
  mutant('frees-at-first-expiry-of-renewed-lease', 'counters.reserve.frees-at', (right, { held }) =>
    freesUnsettled(right, held),
  ),
  mutant('frees-though-nothing-expires', 'counters.reserve.frees-at', (right, { now }) =>
    frees(right, ({ freesAt }) => freesAt ?? now()),
  ),
  mutant('changes-count-reserved', 'counters.settle.says-changes', (right) => ({
    async settle(leaseId, amounts, options) {
      const keys = Object.keys(amounts)
      const before = await right.read(keys)
      const said = await right.settle(leaseId, amounts, options)
      if (!said.settled) return said
      const after = await right.read(keys)
      return {
        settled: true,
        changes: keys.map((key, at) => ({ key, before: before[at] as bigint, after: after[at] as bigint })),
      }
    },
  })),
  mutant('changes-of-given-keys-only', 'counters.settle.says-changes', (right) =>
    settlesSaying(right, (changes, _, amounts) => changes.filter(({ key }) => Object.hasOwn(amounts, key))),
  ),
  mutant('changes-in-order-of-amounts', 'counters.settle.says-changes', (right) =>
    settlesSaying(right, (changes, _, amounts) => {
      const order = Object.keys(amounts)
      return [...changes].sort((one, other) => order.indexOf(one.key) - order.indexOf(other.key))
    }),
  ),
  mutant('changes-of-each-row', 'counters.settle.says-changes', (right, { held }) =>
    settlesSaying(right, (changes, leaseId) =>
      (held.get(leaseId)?.rows ?? []).flatMap(({ key }) => changes.filter((change) => change.key === key)),
    ),
  ),
  mutant('leaves-out-what-stayed', 'counters.settle.says-changes', (right) =>
    settlesSaying(right, (changes) => changes.filter(({ before, after }) => before !== after)),
  ),
  mutant('reads-before-and-after-apart', 'counters.settle.parallel-changes-chain', (right) => {
    let known = 0n
    return {
      async settle(leaseId, amounts, options) {
        const before = known
        const said = await right.settle(leaseId, amounts, options)
        if (!said.settled) return said
        known = said.changes[0]?.after ?? 0n
        return { settled: true, changes: said.changes.map((change) => ({ ...change, before })) }
      },
    }
  }),
  mutant('changes-of-passed-windows', 'counters.settle.changes-of-standing-windows', (right, { held, now }) =>
    settlesSaying(right, (changes, leaseId) => {
      const passed = (held.get(leaseId)?.rows ?? []).filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now())
      return [...passed.map(({ key }) => ({ key, before: 0n, after: 0n })), ...changes]
    }),
  ),
  mutant('charges-expected-though-settled', 'counters.settle.forgets-expected', (right, beside) =>
    reads(right, beside, (granted, key) => (granted.lease.expiresAt <= beside.now() ? expectedOf(granted, key) : 0n)),
  ),
  mutant('takes-tag-for-key', 'counters.reserve.common-tag', (right) =>
    confusesKeys(right, (key) => /\{([^}]+)\}/.exec(key)?.[1] ?? key),
  ),
  mutant('strips-tag-of-key', 'counters.reserve.common-tag', (right) =>
    confusesKeys(right, (key) => key.replace(/\{[^}]+\}/, '') || 'tag'),
  ),
  mutant('takes-tag-for-lease', 'counters.reserve.common-tag', (right) => {
    const tag = (id: string): string => /\{([^}]+)\}/.exec(id)?.[1] ?? id
    return {
      reserve: (rows, lease, options) => right.reserve(rows, { ...lease, id: tag(lease.id) }, options),
      renew: (leaseId, renewal, options) => right.renew(tag(leaseId), renewal, options),
      settle: (leaseId, amounts, options) => right.settle(tag(leaseId), amounts, options),
    }
  }),
]
