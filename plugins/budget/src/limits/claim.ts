import type { BudgetStanding } from '@switchyard/contract'
import type { Budget } from './budget.ts'
import { budgetKey } from './keys.ts'
import type { BudgetWindow } from './window.ts'

/** One budget for one value in one window, as this node knows it: a counter and its limit. */
export interface Claim {
  readonly budget: Budget
  readonly tenant: string
  readonly value: string
  readonly window: BudgetWindow
  readonly key: string
  /** Epoch ms at which the counter may go: after its window, once no lease of it can be settled. Undefined = never. */
  readonly expiresAt: number | undefined
  /** Nano-USD, with what rolled over. */
  limit: bigint
  /** Whether what rolled over is in the limit; `loading` while the ledger is asked. */
  rollover: 'none' | 'wanted' | 'known'
  /** Nano-USD settled and reserved, as last seen. */
  used: bigint
  /** Nano-USD settled, as last seen. */
  settled: bigint
  /** Attempts of this node that hold some of it. */
  holds: number
}

/** Makes the claim of a budget on a value in a window. */
export function claimOf(budget: Budget, tenant: string, value: string, window: BudgetWindow, longestLeaseMs: number): Claim {
  return {
    budget,
    tenant,
    value,
    window,
    key: budgetKey(tenant, budget, window.id, value),
    expiresAt: window.endsAt === undefined ? undefined : window.endsAt + longestLeaseMs,
    limit: budget.limit,
    rollover: budget.rolloverMax > 0n && window.endsAt !== undefined ? 'wanted' : 'none',
    used: 0n,
    settled: 0n,
    holds: 0,
  }
}

/** What is left of it, as last seen; never below 0n. */
export function remainingOf({ limit, used }: Claim): bigint {
  return limit > used ? limit - used : 0n
}

/** The claim as the port `budgets` tells it. */
export function standingOf({ budget, limit, used, window }: Claim): BudgetStanding {
  return { name: budget.name, level: budget.level, limit, used, resetsAt: window.endsAt, hard: budget.hard }
}

/** The claim with the smallest part left, hard ones before soft ones; undefined where there is none. */
export function tightestOf(claims: readonly Claim[]): Claim | undefined {
  let tightest: Claim | undefined
  for (const claim of claims) {
    if (tightest === undefined || isTighter(claim, tightest)) tightest = claim
  }
  return tightest
}

function isTighter(a: Claim, b: Claim): boolean {
  if (a.budget.hard !== b.budget.hard) return a.budget.hard
  return remainingOf(a) * b.limit < remainingOf(b) * a.limit
}
