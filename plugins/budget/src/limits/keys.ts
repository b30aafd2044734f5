import { createHash } from 'node:crypto'

/** Longer values of tags, sessions and users stand in keys by their hash. */
const LONGEST_VALUE = 200

/** What all keys and lease ids of a tenant begin with: the tag by which a store of several shards keeps them together. */
export function tenantTag(tenant: string): string {
  return `{${encodeURIComponent(tenant.toWellFormed())}}`
}

/** The marker that a store has this tenant's sums: epoch ms at which they were read from the ledger; 0 in a store that was emptied. */
export function aliveKey(tenant: string): string {
  return `${tenantTag(tenant)}:alive`
}

/** The lease of an attempt. */
export function leaseId(tenant: string, attemptId: string): string {
  return `${tenantTag(tenant)}:${attemptId}`
}

/**
 * The counter of one budget for one value in one window. When the budget was made is part of it, so that one that is made anew under an
 * old name starts clean.
 */
export function budgetKey(
  tenant: string,
  budget: { readonly name: string; readonly since: number },
  windowId: string,
  value: string,
): string {
  return `${tenantTag(tenant)}:b:${budget.name}@${budget.since.toString(36)}:${windowId}:${keyValue(value)}`
}

/** What a key of a budget says. */
export interface BudgetKey {
  readonly tenant: string
  readonly budget: string
  /** Epoch ms. */
  readonly since: number
  readonly windowId: string
  /** The hash of a long one. */
  readonly value: string
}

/** Takes a key of `budgetKey` apart; undefined for another key. */
export function readBudgetKey(key: string): BudgetKey | undefined {
  const match = /^\{([^}]*)\}:b:([^:@]+)@([0-9a-z]+):([^:]+):(.*)$/s.exec(key)
  if (match === null) return undefined
  const [, tenant, budget, since, windowId, value] = match as unknown as readonly [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  return { tenant: decodeURIComponent(tenant), budget, since: Number.parseInt(since, 36), windowId, value }
}

/** A value as it stands in keys. */
export function keyValue(value: string): string {
  if (value.length <= LONGEST_VALUE) return value
  return `#${createHash('sha256').update(value).digest('base64url')}`
}
