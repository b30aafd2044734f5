import type { CatalogSource } from '@switchyard/catalog'
import type { Clock, Logger } from '@switchyard/contract'
import { AT, type Row } from '../ledger/columns.ts'
import { unsettledRow } from '../ledger/unsettled.ts'
import type { LedgerWriter } from '../ledger/writer.ts'
import { adopt } from './adopt.ts'

export interface RecoverOptions {
  readonly directory: string
  /** Name of our own journal, as which we claim others. */
  readonly name: string
  readonly writer: LedgerWriter
  readonly catalog: CatalogSource
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  readonly defaultOutputTokens: number
  /** Which of these attempts the ledger has already. */
  readonly known: (attemptIds: readonly string[]) => Promise<ReadonlySet<string>>
  /** Told of each row that was not in the ledger before. */
  readonly onBooked: (row: Row) => void
}

/**
 * Books what processes that are gone left in their journals: what had ended, as it ended; what had not, as unsettled at its expected cost.
 * Rejects with what keeps the rows out; the files stay for the next try.
 */
export async function recover(options: RecoverOptions): Promise<void> {
  const { directory, name, writer, catalog, clock, log, defaultOutputTokens, known, onBooked } = options
  const now = clock.now()
  for (const left of adopt(directory, name, now)) {
    const open = left.open.map((opening) => unsettledRow(opening, now, catalog.current(), defaultOutputTokens))
    const rows = [...left.ended, ...open]
    // A file goes with its last record only, so most of what it says was booked long ago.
    const before = await known(rows.map((row) => row[AT.attempt_id] as string))
    for (const row of rows) writer.add(row)
    await writer.flush()
    for (const row of rows) if (!before.has(row[AT.attempt_id] as string)) onBooked(row)
    left.remove()
    const found = { journal: left.name, ended: left.ended.length, unsettled: left.open.length, unreadable: left.unreadable }
    if (found.ended + found.unsettled > 0) log.info(found, 'a journal that was left behind is in the ledger')
  }
}
