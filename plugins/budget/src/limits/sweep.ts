import type { CatalogSource } from '@switchyard/catalog'
import type { Clock, CounterChange, ExpiredLease, Logger, SqlDatabase } from '@switchyard/contract'
import { AT, OPENING_COLUMNS, type Opening } from '../ledger/columns.ts'
import { lateIdOf } from '../ledger/corrections.ts'
import type { Dialect } from '../ledger/schema.ts'
import { unsettledRow } from '../ledger/unsettled.ts'
import { bookedOf, type LedgerWriter } from '../ledger/writer.ts'
import { type Store, StoreAway } from './store.ts'

export interface SweepOptions {
  readonly store: Store
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly writer: LedgerWriter
  readonly catalog: CatalogSource
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  readonly defaultOutputTokens: number
  readonly onChanges: (changes: readonly CounterChange[]) => void
}

/** Leases of one look at the ledger: each has two ids in one statement. */
const AT_ONCE = 200

/**
 * Books the leases that expired unsettled: an attempt that the ledger knows is settled as it truly was, any other gets a row at its
 * expected cost, which the store has charged. What a node does twice, or two nodes at once, is done once.
 */
export async function sweep(options: SweepOptions): Promise<void> {
  const { store, log } = options
  try {
    const expired = await store.expired()
    for (let from = 0; from < expired.length; from += AT_ONCE) await book(expired.slice(from, from + AT_ONCE), options)
  } catch (error) {
    if (!(error instanceof StoreAway)) log.warn({ error }, 'expired holds could not be booked; the next sweep tries again')
  }
}

async function book(expired: readonly ExpiredLease[], options: SweepOptions): Promise<void> {
  const { store, database, dialect, writer, catalog, clock, log, defaultOutputTokens, onChanges } = options
  const openings = new Map<ExpiredLease, Opening>()
  for (const lease of expired) {
    const opening = openingOf(lease.note)
    if (opening !== undefined) openings.set(lease, opening)
  }
  await writer.flush()
  const ids = [...openings.values()].map((opening) => opening[AT.attempt_id] as string)
  const booked = new Map(
    (await bookedOf(database, dialect, [...ids, ...ids.map(lateIdOf)])).map((row) => [row.attempt_id, row]),
  )
  const done: string[] = []
  for (const lease of expired) {
    const opening = openings.get(lease)
    const row = opening === undefined ? undefined : booked.get(opening[AT.attempt_id] as string)
    if (opening !== undefined && row?.kind === 'attempt') {
      const nano = BigInt(row.charged_nusd ?? 0)
      const settlement = await store.settle(lease.id, Object.fromEntries(lease.changes.map(({ key }) => [key, nano])))
      if (settlement.settled) onChanges(settlement.changes)
      continue
    }
    if (opening !== undefined && row === undefined) {
      writer.add(unsettledRow(opening, clock.now(), catalog.current(), defaultOutputTokens))
      log.warn(
        { attempt: opening[AT.attempt_id], model: opening[AT.model] },
        'an attempt never ended; its expected cost is charged',
      )
    }
    onChanges(lease.changes)
    done.push(lease.id)
  }
  if (done.length === 0) return
  await writer.flush()
  await store.acknowledge(done)
}

function openingOf(note: string | undefined): Opening | undefined {
  if (note === undefined || note === '') return undefined
  try {
    const value: unknown = JSON.parse(note)
    return Array.isArray(value) && value.length === OPENING_COLUMNS.length ? (value as Opening) : undefined
  } catch {
    return undefined
  }
}
