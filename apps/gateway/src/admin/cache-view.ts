import { signedUsd } from '@switchyard/budget'
import type { CacheReport, Tally } from '@switchyard/cache'
import type { SemanticStanding } from '@switchyard/contract'
import { CACHE_PURPOSES, type CacheMoney } from './cache-money.ts'
import { rowsLink } from './cost-query.ts'

type View = Readonly<Record<string, unknown>>

/** Outcomes without an upstream call that the caller waited for. */
const LEVELS = ['l1', 'l2', 'l3', 'stale', 'coalesced'] as const

/** A report as JSON. Shares are of all requests; counts are this node's, since its start or last change of plugins; money is of all nodes. */
export function cacheView(
  { operations, likeness, near, store, underWay, ownCalls }: CacheReport,
  money: CacheMoney | undefined,
): View {
  return {
    object: 'cache_report',
    operations: Object.fromEntries(Object.entries(operations).map(([name, tally]) => [name, tallyView(tally)])),
    likeness: likeness.map(standingView),
    near,
    store: {
      is_away: store.isAway,
      failed_lookups: store.failedLookups,
      failed_writes: store.failedWrites,
      malformed: store.malformed,
      owed_deletions: store.owedDeletions,
    },
    under_way: underWay,
    own_calls: ownCalls,
    money: money === undefined ? null : moneyView(money),
  }
}

function tallyView({ requests, outcomes, bypasses, distinct }: Tally): View {
  const of = (count: number): number => (requests === 0 ? 0 : count / requests)
  const hits = LEVELS.reduce((sum, level) => sum + outcomes[level], 0)
  const lookups = requests - outcomes.bypass
  return {
    requests,
    lookups,
    hits,
    hit_rate: of(hits),
    levels: Object.fromEntries(LEVELS.map((level) => [level, { hits: outcomes[level], share: of(outcomes[level]) }])),
    misses: outcomes.miss,
    bypassed: outcomes.bypass,
    bypasses,
    distinct,
    // Of all requests, as the rate is, so that one can stand beside the other.
    repeat_ceiling: of(lookups - distinct),
  }
}

function standingView(one: SemanticStanding): View {
  const { population, epsilon, isShadow, cut, requests, lookups, hits, labels, audits, failedAudits, dropped } = one
  return {
    population,
    epsilon,
    shadow: isShadow,
    cut: cut ?? null,
    requests,
    lookups,
    hits,
    hit_rate: requests === 0 ? 0 : hits / requests,
    ceiling: one.ceiling ?? null,
    labels,
    dropped,
    audits,
    failed_audits: failedAudits,
    error_of_all: one.errorOfAll ?? null,
    error_of_hits: one.errorOfHits ?? null,
  }
}

function moneyView({ from, to, hits, unpricedHits, savedPico, spentPico, unpricedCalls, netPico }: CacheMoney): View {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    hits,
    saved_usd: signedUsd(savedPico),
    spent_usd: signedUsd(savedPico - netPico),
    spent: Object.fromEntries(CACHE_PURPOSES.map((purpose) => [purpose, signedUsd(spentPico[purpose])])),
    net_usd: signedUsd(netPico),
    unpriced_hits: unpricedHits,
    unpriced_calls: unpricedCalls,
    saved_rows: rowsLink({ from, to, where: { kind: 'cache' } }),
    spent_rows: rowsLink({ from, to, where: { purpose: CACHE_PURPOSES } }),
  }
}
