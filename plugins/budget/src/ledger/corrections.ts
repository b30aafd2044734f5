import { storable } from '../money.ts'
import { AT, type Cell, type Row } from './columns.ts'

/** What stands in the ledger for an attempt. */
export interface Booked {
  readonly attempt_id: string
  readonly kind: string
  readonly cost_pusd: Cell
  readonly cost_uusd: Cell
  readonly charged_nusd: Cell
}

/** Id of the row by which the truth came after an attempt was booked as unsettled: one an attempt, so that it too is booked once. */
export function lateIdOf(attemptId: string): string {
  return `${attemptId}~late`
}

/**
 * The row that turns an unsettled attempt into what it truly was: its usage, and what it cost beyond the expected cost that was booked,
 * which may be less than nothing. Undefined where there is nothing to correct.
 */
export function lateRow(row: Row, booked: Booked): Row | undefined {
  if (booked.kind !== 'unsettled' || row[AT.kind] !== 'attempt') return undefined
  const late = [...row]
  late[AT.attempt_id] = lateIdOf(booked.attempt_id)
  late[AT.adjusts] = booked.attempt_id
  late[AT.kind] = 'adjustment'
  late[AT.cost_pusd] = beyond(row[AT.cost_pusd], booked.cost_pusd)
  late[AT.cost_uusd] = beyond(row[AT.cost_uusd], booked.cost_uusd)
  late[AT.charged_nusd] = beyond(row[AT.charged_nusd], booked.charged_nusd)
  return late
}

function beyond(now: Cell | undefined, before: Cell): Cell {
  return storable(BigInt(now ?? 0) - BigInt(before ?? 0))
}
