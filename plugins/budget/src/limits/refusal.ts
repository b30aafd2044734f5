import { SwitchyardError } from '@switchyard/contract'
import { usdOfNano } from '../money.ts'
import { type Claim, remainingOf } from './claim.ts'

/** Header names by which clients are told. */
export const COST_HEADER = 'x-switchyard-cost-usd'
const REMAINING_HEADER = 'x-switchyard-budget-remaining-usd'
const BUDGET_HEADER = 'x-switchyard-budget'

/** What is left of a claim, as headers. */
export function claimHeaders(claim: Claim): Readonly<Record<string, string>> {
  return { [BUDGET_HEADER]: claim.budget.name, [REMAINING_HEADER]: usdOfNano(remainingOf(claim)) }
}

/** The call does not fit into a budget. `available` in nano-USD. */
export function exceeded(claim: Claim, available: bigint, needed: bigint, plugin: string): SwitchyardError {
  const { budget, window, value } = claim
  const when = window.endsAt === undefined ? 'It does not reset' : `It resets at ${new Date(window.endsAt).toISOString()}`
  const message =
    `the budget "${budget.name}" of ${budget.level} ${JSON.stringify(value.slice(0, 100))} has ${usdOfNano(available)} USD left of ` +
    `${usdOfNano(claim.limit)}, and this call may cost ${usdOfNano(needed)}. ${when}; ask for fewer output tokens or a cheaper model, or raise it`
  return refused(
    claim,
    message,
    plugin,
    { available: usdOfNano(available), needed: usdOfNano(needed) },
    { ...claimHeaders(claim), [REMAINING_HEADER]: usdOfNano(available) },
  )
}

/** A hard budget cannot hold what has no price. */
export function unpriced(claim: Claim, model: string, plugin: string): SwitchyardError {
  const { budget } = claim
  const message =
    `the price of ${model} is not known, and the budget "${budget.name}" is hard; add a price to the catalog, ` +
    'or say what such a call is to be held at (unknownPriceUsd)'
  return refused(claim, message, plugin, { reason: 'price-unknown' }, claimHeaders(claim))
}

/** A hard budget cannot settle what ends after its reply. */
export function unending(claim: Claim, plugin: string): SwitchyardError {
  const message =
    `a response in the background ends after its reply, so that nobody can tell the budget "${claim.budget.name}" what it cost; ` +
    'send it without `background`, or make the budget soft'
  return refused(claim, message, plugin, { reason: 'background' }, claimHeaders(claim))
}

/** The store is away and a budget does not allow to go on without it. */
export function storeAway(claim: Claim, plugin: string, cause: unknown): SwitchyardError {
  const message = `the counters of the budget "${claim.budget.name}" cannot be asked; send the call again, or choose another whenStoreAway`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', message, {
    plugin,
    retryAfterMs: 1_000,
    cause,
    details: { status: 503, sent: false, budget: claim.budget.name, guard: 'budget' },
  })
}

function refused(
  { budget, limit, window }: Claim,
  message: string,
  plugin: string,
  more: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): SwitchyardError {
  return new SwitchyardError('BUDGET_EXCEEDED', message, {
    plugin,
    retryable: false,
    details: {
      budget: budget.name,
      level: budget.level,
      limit: usdOfNano(limit),
      ...more,
      ...(window.endsAt !== undefined && { resetsAt: window.endsAt }),
      ...(budget.downRoute && { downRoute: true }),
      sent: false,
      headers,
    },
  })
}
