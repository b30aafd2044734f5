import type { Logger } from '@switchyard/contract'
import type { Claim } from './claim.ts'
import { keyValue } from './keys.ts'
import type { Spent } from './spent.ts'
import { windowAt } from './window.ts'

/**
 * Adds what was left of the last window's own limit to this one's, up to the budget's maximum; what had rolled over into the last window
 * does not roll on. A window in which the budget did not exist yet leaves nothing. Where the ledger cannot be asked, nothing is added, and
 * the next call asks again.
 */
export async function addRollover(claim: Claim, spent: Spent, log: Logger): Promise<void> {
  const { budget, tenant, value, window } = claim
  const before = windowAt(budget.window, budget.timeZone, window.startsAt - 1)
  if (before.endsAt === undefined || budget.since >= before.endsAt) {
    claim.rollover = 'known'
    return
  }
  try {
    const sums = await spent.byValue(budget, tenant, before.startsAt, before.endsAt)
    const left = budget.limit - (sums.get(keyValue(value)) ?? 0n)
    if (claim.rollover === 'known') return
    if (left > 0n) claim.limit += left < budget.rolloverMax ? left : budget.rolloverMax
    claim.rollover = 'known'
  } catch (error) {
    log.warn({ error, budget: budget.name }, 'what a budget rolls over cannot be read from the ledger; nothing is added yet')
  }
}
