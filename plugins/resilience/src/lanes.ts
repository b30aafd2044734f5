import { type Alternative, type Call, deploymentOf } from '@switchyard/contract'
import { Keyed } from './keyed.ts'
import { Lane, type LaneContext } from './lane.ts'
import { Credentials } from './quarantine/credentials.ts'
import { RetryBudget } from './retry/retry-budget.ts'
import type { Settings } from './settings.ts'

/** Deployments remembered for one operation, and tenants in all; above it those that rest are forgotten. */
const MOST_LANES = 4_096
const MOST_TENANTS = 10_000

/** Every lane there is, found by the call; made at the first call that names it. */
export class Lanes {
  readonly credentials: Credentials
  private readonly context: LaneContext
  private readonly settings: (operation: string) => Settings
  private readonly byOperation = new Map<string, Keyed<Lane>>()
  private readonly budgets = new Map<string, Keyed<RetryBudget>>()
  private last: Lane | undefined = undefined

  constructor(context: LaneContext, settings: (operation: string) => Settings) {
    this.context = context
    this.settings = settings
    this.credentials = new Credentials(context.selectors ?? new Map())
  }

  /** The lane that a call would take. Policies ask for the same one after another: the last answer is kept. */
  of(call: Call, now: number): Lane {
    const deployment = deploymentOf(call)
    const { last } = this
    if (last !== undefined && last.deployment === deployment && last.operation === call.operation) {
      last.used = true
      return last
    }
    this.last = this.at(call.operation, deployment, now)
    return this.last
  }

  at(operation: string, deployment: string, now: number): Lane {
    let lanes = this.byOperation.get(operation)
    if (lanes === undefined) {
      const settings = this.settings(operation)
      lanes = new Keyed(MOST_LANES, (key) => new Lane(this.context, settings, operation, key))
      this.byOperation.set(operation, lanes)
    }
    return lanes.get(deployment, now)
  }

  /** Whether an alternative would take a call that waits in another lane now. */
  canReplace(lane: Lane, call: Call, alternative: Alternative, now: number): boolean {
    if (!this.at(call.operation, deploymentOf(alternative), now).canReplace(lane)) return false
    return !lane.settings.quarantine.enabled || this.credentials.wouldAdmit(alternative, call, now)
  }

  /** The retries of one tenant at one operation, over all its targets. */
  budgetOf(call: Call, now: number): RetryBudget {
    let budgets = this.budgets.get(call.operation)
    if (budgets === undefined) {
      const { retry } = this.settings(call.operation)
      budgets = new Keyed(MOST_TENANTS, () => new RetryBudget(retry))
      this.budgets.set(call.operation, budgets)
    }
    return budgets.get(call.principal.tenant, now)
  }
}
