import type { Catalog } from '@switchyard/catalog'
import type { CallOptions, SqlDatabase } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import type { CostRows } from './port.ts'
import { type MeasuredSaving, measuredSavings } from './savings-measured.ts'
import { type ModelledSaving, modelledSaving } from './savings-modelled.ts'
import { spentCalls } from './spent-calls.ts'

/** Both views of what was saved, signed. Where they differ, what was measured is to be believed. */
export interface Savings {
  /** By route with a control arm; empty without one. */
  readonly measured: readonly MeasuredSaving[]
  readonly modelled: ModelledSaving
  /** Whether the range held more rows than are modelled at once: the figures are of its beginning. */
  readonly isCut: boolean
}

/** What the rows of a query saved, measured and modelled. */
export async function savingsOf(
  database: SqlDatabase,
  dialect: Dialect,
  catalog: Catalog,
  query: CostRows,
  options?: CallOptions,
): Promise<Savings> {
  const measured = await measuredSavings(database, dialect, query, options)
  const { calls, isCut } = await spentCalls(database, dialect, query, options)
  return { measured, modelled: modelledSaving(calls, catalog), isCut }
}
