import { type CallOptions, definePort, type Port } from '@switchyard/contract'
import type { LedgerColumn } from './columns.ts'

/** Which rows of the ledger; members that are left out ask for nothing. */
export interface LedgerQuery {
  /** Epoch ms at which attempts began: from, inclusive, to, exclusive. */
  readonly from?: number
  readonly to?: number
  readonly tenant?: string
  readonly team?: string
  readonly keyId?: string
  readonly user?: string
  readonly session?: string
  readonly provider?: string
  readonly model?: string
  readonly callId?: string
  readonly kinds?: readonly ('attempt' | 'cache' | 'unsettled' | 'adjustment')[]
  /** Only rows after this attempt id: the last one of the page before. */
  readonly after?: string
  /** 1 to 10,000; default 1,000. */
  readonly limit?: number
}

/** One row, by column. Whole numbers are numbers where safe, else bigint or text of digits. */
export type LedgerRow = Readonly<Record<LedgerColumn, string | number | bigint | null>>

/** The books: one row an attempt that was sent, a cache hit, or a correction of one. Rows are only ever added. */
export interface Ledger {
  /** Rows in the order in which attempts began. Rejects as the port `sql` does. */
  rows(query?: LedgerQuery, options?: CallOptions): Promise<readonly LedgerRow[]>
  /** Resolves when what this node has settled so far can be read. Rejects with what keeps it out. */
  flush(): Promise<void>
}

/** Port by which reports and the gateway read the books. */
export const ledger: Port<Ledger> = definePort<Ledger>('ledger', 1)
