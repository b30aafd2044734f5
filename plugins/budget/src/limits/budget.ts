import { nanoUsd } from '../money.ts'
import type { BudgetDefinition } from './definition.ts'

/** A budget as the plugin works with it: amounts in nano-USD. */
export interface Budget {
  readonly name: string
  readonly level: BudgetDefinition['level']
  /** Name of the tag, at level `tag`. */
  readonly tag: string | undefined
  readonly window: BudgetDefinition['window']
  readonly timeZone: string
  readonly limit: bigint
  /** Ascending, each once. */
  readonly thresholds: readonly number[]
  readonly hard: boolean
  readonly downRoute: boolean
  readonly whenStoreAway: 'closed' | 'open' | 'lease'
  /** The most that what was left of a window adds to the next one's limit; 0n = nothing. */
  readonly rolloverMax: bigint
  /** Epoch ms: what was spent before does not count. */
  readonly since: number
  /** Whether it is for a tenant at all. */
  forTenant(tenant: string): boolean
  /** Whether it is for a value at its level. */
  covers(value: string): boolean
}

/** Compiles a definition that was validated. */
export function budgetOf(definition: BudgetDefinition, since: number): Budget {
  const { match, tenants, hard, rollover } = definition
  const patterns = match === undefined ? undefined : typeof match === 'string' ? [match] : match
  const exact = new Set(patterns?.filter((pattern) => !pattern.endsWith('*')))
  const starts = patterns?.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1)) ?? []
  const among = tenants === undefined ? undefined : new Set(tenants)
  return {
    name: definition.name,
    level: definition.level,
    tag: definition.tag,
    window: definition.window,
    timeZone: definition.timeZone,
    limit: nanoUsd(definition.limitUsd) as bigint,
    thresholds: [...new Set(definition.thresholds)].sort((a, b) => a - b),
    hard,
    downRoute: definition.onExceed === 'down-route',
    whenStoreAway: definition.whenStoreAway ?? (hard ? 'closed' : 'open'),
    rolloverMax: rollover === undefined ? 0n : (nanoUsd(rollover.maxUsd) as bigint),
    since,
    forTenant: (tenant) => among === undefined || among.has(tenant),
    covers: (value) => patterns === undefined || exact.has(value) || starts.some((start) => value.startsWith(start)),
  }
}
