import { AT, type Row } from '../ledger/columns.ts'
import { MOST_GIVEN_BACK } from './admission.ts'
import type { BudgetBook } from './budget-book.ts'
import type { Debt } from './debts.ts'
import { leaseId } from './keys.ts'

/**
 * What the counters are to be told of an attempt that a process left behind, now that its row is in the ledger: its hold ends at what the
 * row charges, at once rather than at its expiry. Where the store has lost the hold, it is charged afresh, as any settlement. Undefined
 * for an attempt under no budget, and for one that never was under way.
 */
export function adoptedDebt(row: Row, book: BudgetBook, bookedAt: number): Debt | undefined {
  const tenant = text(row, 'tenant') ?? ''
  const at = Number(row[AT.at_ms])
  const model = text(row, 'model') ?? ''
  const team = text(row, 'team')
  const user = text(row, 'user_id')
  const principal = {
    tenant,
    keyId: text(row, 'key_id') ?? '',
    roles: [],
    ...(team !== undefined && { team }),
    ...(user !== undefined && { user }),
  }
  const standing = book.standing({ principal, model, provider: text(row, 'provider') ?? '' }, at).claims
  const own = book.perCall(tenant, JSON.parse(text(row, 'tags') ?? '{}'), text(row, 'session'), at)
  const claims = [...standing, ...own].filter(({ budget }) => budget.since <= at)
  if (claims.length === 0 || row[AT.kind] === 'cache') return undefined
  const lease = leaseId(tenant, String(row[AT.attempt_id]))
  const aliases = Array.from({ length: MOST_GIVEN_BACK }, (_, index) => `${lease}~${index + 1}`)
  return { tenant, lease, aliases, claims, nano: BigInt(row[AT.charged_nusd] ?? 0), at, bookedAt: () => bookedAt }
}

function text(row: Row, column: keyof typeof AT): string | undefined {
  const cell = row[AT[column]]
  return cell === null || cell === undefined ? undefined : String(cell)
}
