import assert from 'node:assert/strict'
import type { CounterChange, CounterRow, Counters, Lease, Reservation, Settlement } from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** Short, because a subject with a clock of its own has to wait for it. */
export const LEASE_MS = 250

/** A limit that no case reaches by accident. */
export const AMPLE: bigint = 10n ** 18n

export function row(key: string, amount: bigint, limit: bigint = AMPLE, expiresAt?: number): CounterRow {
  return { key, amount, limit, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

/** A row that leaves something charged when its lease expires. */
export function expecting(key: string, amount: bigint, expected: bigint, expiresAt?: number): CounterRow {
  return { ...row(key, amount, AMPLE, expiresAt), expected }
}

/** A lease that outlasts the case. */
export function longLease(opened: Opened<Counters>, id = 'lease'): Lease {
  return { id, expiresAt: opened.now() + 600_000 }
}

/** A lease that a case can wait for. */
export function shortLease(opened: Opened<Counters>, id = 'lease'): Lease {
  return { id, expiresAt: opened.now() + LEASE_MS }
}

/** A lease that a case can wait for, and that can be settled for the rest of the case. */
export function lateLease(opened: Opened<Counters>, id = 'lease'): Lease {
  return { ...shortLease(opened, id), settleUntil: opened.now() + 600_000 }
}

/** Moves time on to `at`. */
export async function passUntil(opened: Opened<Counters>, at: number): Promise<void> {
  await opened.advance(Math.max(0, at - opened.now()))
}

/** Asserts the sums of keys, in their order. */
export async function sums(counters: Counters, wanted: Readonly<Record<string, bigint>>, what: string): Promise<void> {
  const keys = Object.keys(wanted)
  assert.deepEqual([...(await counters.read(keys))], Object.values(wanted), `sums of ${keys.join(', ')} ${what}`)
}

/** Asserts that it was granted; what `sums` says is a promise of its own. */
export function granted(reservation: Reservation, what: string): void {
  assert.equal(reservation.granted, true, `${what}: granted`)
}

/** Asserts which row refused, and with how much left; what `freesAt` says is a promise of its own. */
export function refused(reservation: Reservation, key: string, available: bigint, what: string): void {
  const said = reservation.granted ? reservation : { granted: false, key: reservation.key, available: reservation.available }
  assert.deepEqual(said, { granted: false, key, available }, what)
}

/** Asserts whether it was settled; what `changes` says is a promise of its own. */
export function saysSettled(settlement: Settlement, wanted: boolean, what: string): void {
  assert.equal(settlement.settled, wanted, `${what}: settled`)
}

/** What a settlement says that it changed, as `[key, before, after]`. */
export function changesOf(settlement: Settlement): [string, bigint, bigint][] {
  assert.equal(settlement.settled, true, 'settled')
  return triples(settlement.changes)
}

/** Changes as `[key, before, after]`. */
export function triples(changes: readonly CounterChange[]): [string, bigint, bigint][] {
  return changes.map(({ key, before, after }) => [key, before, after])
}
