import type { CatalogSource } from '@switchyard/catalog'
import type { Clock, Logger } from '@switchyard/contract'
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
}

/**
 * Books what processes that are gone left in their journals: what had ended, as it ended; what had not, as unsettled at its expected cost.
 * Their leases at a store of the fleet expire by themselves, and the sweep finds these rows. Rejects with what keeps the rows out; the
 * files stay for the next try.
 */
export async function recover(options: RecoverOptions): Promise<void> {
  const { directory, name, writer, catalog, clock, log, defaultOutputTokens } = options
  const now = clock.now()
  for (const left of adopt(directory, name, now)) {
    for (const row of left.ended) writer.add(row)
    for (const opening of left.open) writer.add(unsettledRow(opening, now, catalog.current(), defaultOutputTokens))
    await writer.flush()
    left.remove()
    const found = { journal: left.name, ended: left.ended.length, unsettled: left.open.length, unreadable: left.unreadable }
    if (found.ended + found.unsettled > 0) log.info(found, 'a journal that was left behind is in the ledger')
  }
}
