import assert from 'node:assert/strict'
import type { CounterRow, Counters, Lease, Reservation } from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** Short, because a subject with a clock of its own has to wait for it. */
export const LEASE_MS = 250

/** A limit that no case reaches by accident. */
export const AMPLE: bigint = 10n ** 18n

export function row(key: string, amount: bigint, limit: bigint = AMPLE, expiresAt?: number): CounterRow {
  return { key, amount, limit, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

/** A lease that outlasts the case. */
export function longLease(opened: Opened<Counters>, id = 'lease'): Lease {
  return { id, expiresAt: opened.now() + 600_000 }
}

/** A lease that a case can wait for. */
export function shortLease(opened: Opened<Counters>, id = 'lease'): Lease {
  return { id, expiresAt: opened.now() + LEASE_MS }
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

export function granted(reservation: Reservation, what: string): void {
  assert.deepEqual(reservation, { granted: true }, what)
}

/** Asserts which row refused, and with how much left. */
export function refused(reservation: Reservation, key: string, available: bigint, what: string): void {
  assert.deepEqual(reservation, { granted: false, key, available }, what)
}
