import type { CounterRow, Lease, LeaseRenewal } from '@switchyard/contract'
import { invalid } from '../errors.ts'
import { tagOf, tagText } from './shard.ts'

/** Amounts and limits are below it; sums of them stay exact up to 10^30. */
export const AMOUNT_CEILING: bigint = 10n ** 24n
/** Rows of one reserve, and keys of one script run. */
export const MOST_ROWS = 1_000
const LONGEST_NOTE = 4_096

/** @throws SwitchyardError INVALID_REQUEST, naming the row or the tag, where a reserve can never work. */
export function checkReserve(rows: readonly CounterRow[], lease: Lease, tag: string): void {
  const { id, expiresAt, settleUntil, note } = lease
  checkText(id, 'a lease id')
  if (!Number.isFinite(expiresAt)) throw invalid(`lease ${JSON.stringify(id)} needs a finite expiresAt in epoch ms`)
  if (settleUntil !== undefined && !(Number.isFinite(settleUntil) && settleUntil >= expiresAt)) {
    throw invalid(`the settleUntil of lease ${JSON.stringify(id)} must be finite and not before its expiresAt`)
  }
  if (note !== undefined && (note.length > LONGEST_NOTE || !note.isWellFormed())) {
    throw invalid(`the note of lease ${JSON.stringify(id)} must be well-formed text of at most ${LONGEST_NOTE} characters`)
  }
  if (rows.length > MOST_ROWS) throw invalid(`a reserve has at most ${MOST_ROWS} rows, this one ${rows.length}`)
  for (const row of rows) {
    checkText(row.key, 'a counter key')
    checkTag(row.key, tag, id)
    checkAmount(row.key, row.amount)
    if (row.expected !== undefined) checkAmount(row.key, row.expected)
    if (Number.isNaN(row.expiresAt)) throw invalid(`the expiresAt of ${JSON.stringify(row.key)} must be epoch ms, not NaN`)
  }
}

/** @throws SwitchyardError INVALID_REQUEST where an amount is below 0 or too large. */
export function checkAmounts(amounts: Readonly<Record<string, bigint>>): void {
  for (const key in amounts) checkAmount(key, amounts[key] as bigint)
}

/** @throws SwitchyardError INVALID_REQUEST where a time of a renewal is no time. */
export function checkRenewal({ expiresAt, settleUntil, amounts = {} }: LeaseRenewal): void {
  for (const at of [expiresAt, settleUntil]) {
    if (at !== undefined && !Number.isFinite(at)) throw invalid(`the times of a renewal are finite epoch ms, not ${at}`)
  }
  checkAmounts(amounts)
}

/** @throws SwitchyardError INVALID_REQUEST for text that is empty or that UTF-8 cannot hold. */
export function checkText(text: string, what: string): void {
  if (text === '') throw invalid(`${what} must not be empty`)
  if (!text.isWellFormed()) throw invalid(`${what} must be well-formed text; ${JSON.stringify(text)} has half a surrogate pair`)
}

function checkTag(key: string, tag: string, id: string): void {
  const own = tagOf(key)
  if (own === tag) return
  const words = `the key ${JSON.stringify(key)} has ${tagText(own)}, but lease ${JSON.stringify(id)} has ${tagText(tag)}`
  throw invalid(`${words}; rows of one reserve and its lease id need one tag, which puts them on one node`)
}

function checkAmount(key: string, amount: bigint): void {
  if (amount < 0n) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are from 0`)
  if (amount >= AMOUNT_CEILING) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are below 10^24`)
}
