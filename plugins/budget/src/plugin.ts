import { catalog } from '@switchyard/catalog'
import { budgets, bus, counters, definePlugin, optional, type PluginFactory, sql } from '@switchyard/contract'
import { assemble } from './assemble.ts'
import { ledger } from './ledger/port.ts'
import { budgetAdmin } from './limits/budget-admin.ts'
import { type BudgetInput, budgetOptions } from './options.ts'
import { costs } from './reports/port.ts'
import './events.ts'

/**
 * What may be spent and what was, for `model.invoke`: a hold before each upstream attempt, its exact cost after it, and a row in the
 * ledger, in every ending. Policies `account` at stage `admit` and `attempt` at stage `transport`: list it last, so that nothing but the
 * target is inside. Ports `budgets`, `ledger`, `budget-admin` and `costs`.
 */
export const budget: PluginFactory<BudgetInput> = definePlugin({
  name: '@switchyard/budget',
  contract: 1,
  options: budgetOptions,
  requires: { counters, sql, catalog, bus: optional(bus) },
  provides: { budgets, ledger, budgetAdmin, costs },
  async setup(ctx) {
    const made = await assemble(ctx, ctx.deps)
    return {
      ports: { budgets: made.budgets, ledger: made.ledger, budgetAdmin: made.admin, costs: made.costs },
      policies: made.policies,
    }
  },
})
