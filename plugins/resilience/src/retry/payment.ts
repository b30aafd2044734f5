import type { Lane } from '../lane.ts'
import type { RetryBudget } from './retry-budget.ts'

/** Takes one retry from the budgets of target and tenant, or from neither. */
export function paid(lane: Lane, tenantBudget: RetryBudget, now: number): boolean {
  const enough = lane.budget.balance(now) >= 1 && tenantBudget.balance(now) >= 1
  lane.budgetAnswered(enough, now)
  if (!enough) return false
  lane.budget.take(now)
  tenantBudget.take(now)
  return true
}
