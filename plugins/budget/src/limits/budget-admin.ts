import { definePort, type Port } from '@switchyard/contract'
import type { BudgetDefinition, BudgetDefinitionInput } from './definition.ts'

/** A budget and where it is written. */
export interface ListedBudget {
  readonly definition: BudgetDefinition
  /** Those of the configuration are changed there. */
  readonly source: 'configuration' | 'admin'
}

/** Budgets that come and go while the gateway runs. A change reaches every node by `bus` at once, else within `refreshMs`. */
export interface BudgetAdmin {
  /**
   * Adds or changes a budget; what was spent stays, and a new one counts from now. Rejects `INVALID_REQUEST`, `CONFLICT` for a name of
   * the configuration, and as the port `sql` does.
   */
  put(definition: BudgetDefinitionInput): Promise<void>
  /** Resolves with whether there was one. Rejects `CONFLICT` for a name of the configuration, and as the port `sql` does. */
  remove(name: string): Promise<boolean>
  /** As this node knows them. */
  list(): readonly ListedBudget[]
}

/** Port by which admin APIs change budgets. */
export const budgetAdmin: Port<BudgetAdmin> = definePort<BudgetAdmin>('budget-admin', 1)
