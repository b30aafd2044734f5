import { type CounterRow, type Lease, type LeaseRenewal, SwitchyardError } from '@switchyard/contract'
import type { Hold } from './counter-rows.ts'
import { invalid } from './errors.ts'

/** Characters that a note may have, as the port says. */
const MAX_NOTE = 4096

/** Throws `INVALID_REQUEST` for rows or a lease that can never work. */
export function checkReserve(wanted: readonly CounterRow[], { id, expiresAt, settleUntil, note }: Lease): void {
  if (id === '') throw invalid('a lease id must not be empty')
  if (!Number.isFinite(expiresAt)) throw invalid(`lease ${JSON.stringify(id)} needs a finite expiresAt in epoch ms`)
  if (settleUntil !== undefined) checkSettleUntil(id, settleUntil, expiresAt)
  if (note !== undefined && note.length > MAX_NOTE) {
    throw invalid(`the note of lease ${JSON.stringify(id)} has ${note.length} characters; at most ${MAX_NOTE} are kept`)
  }
  for (const { key, amount, expected, expiresAt: windowEnd } of wanted) {
    if (key === '') throw invalid('a counter key must not be empty')
    if (amount < 0n) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are from 0`)
    if (expected !== undefined && expected < 0n) {
      throw invalid(`the expected amount of ${JSON.stringify(key)} is ${expected}; amounts are from 0`)
    }
    if (Number.isNaN(windowEnd)) throw invalid(`the expiresAt of ${JSON.stringify(key)} must be epoch milliseconds, not NaN`)
  }
}

/** Throws `INVALID_REQUEST` for times that a lease with this expiry cannot be renewed to. */
export function checkRenewal(id: string, { expiresAt, settleUntil }: LeaseRenewal, standing: number, now: number): void {
  if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt > now)) {
    throw invalid(
      `lease ${JSON.stringify(id)} cannot be renewed to expire at ${expiresAt}; give epoch ms later than now, ${now}`,
    )
  }
  if (settleUntil !== undefined) checkSettleUntil(id, settleUntil, expiresAt ?? standing)
}

function checkSettleUntil(id: string, settleUntil: number, expiresAt: number): void {
  if (Number.isFinite(settleUntil) && settleUntil >= expiresAt) return
  throw invalid(
    `lease ${JSON.stringify(id)} expires at ${expiresAt} and has settleUntil ${settleUntil}; give epoch ms that are no earlier`,
  )
}

/**
 * The amounts of each hold, in the order of the holds; undefined where none is given. Throws `INVALID_REQUEST` for a key that the
 * lease does not hold and for a negative amount.
 */
export function amountsOf(
  id: string,
  holds: readonly Hold[],
  amounts: Readonly<Record<string, bigint>>,
): readonly (bigint | undefined)[] {
  const given = new Array<bigint | undefined>(holds.length).fill(undefined)
  for (const key of Object.keys(amounts)) {
    let at = 0
    while (at < holds.length && holds[at]?.row.key !== key) at += 1
    if (at === holds.length) throw invalid(`lease ${JSON.stringify(id)} holds no counter ${JSON.stringify(key)}`)
    const amount = amounts[key] as bigint
    if (amount < 0n) throw invalid(`the amount of ${JSON.stringify(key)} is ${amount}; amounts are from 0`)
    given[at] = amount
  }
  return given
}

/** `CONFLICT`: the id is that of another lease. */
export function taken(id: string): SwitchyardError {
  return new SwitchyardError('CONFLICT', `lease ${JSON.stringify(id)} was already reserved; give every lease an id of its own`)
}

/** `OVERLOADED`: one more would pass an option. */
export function overloaded(option: 'maxCounters' | 'maxLeases', limit: number): SwitchyardError {
  const mend = 'raise it, let leases expire sooner, or move to a shared store'
  return new SwitchyardError('OVERLOADED', `the counters in memory are full: ${option} is ${limit}; ${mend}`, {
    details: { option, limit },
  })
}
