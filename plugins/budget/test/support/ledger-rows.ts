import { type Cell, COLUMNS, idFloor, type LedgerColumn, type Row } from '../../src/ledger/columns.ts'
import { migrate } from '../../src/ledger/schema.ts'
import { insertText } from '../../src/ledger/statements.ts'
import { microOfPico, nanoOfPico, storable } from '../../src/money.ts'
import { type TestSqlite, testSqlite } from './sqlite.ts'

/** A row of the ledger, as far as a test cares. */
export type Given = Partial<Record<LedgerColumn, Cell>> & { readonly at: number; readonly pico?: bigint | undefined }

let count = 0

/** A whole row out of what is given. */
export function ledgerRow({ at, pico, ...given }: Given): Row {
  count += 1
  const cost = pico === undefined ? {} : costCells(pico)
  const row: Partial<Record<LedgerColumn, Cell>> = {
    attempt_id: `${idFloor(at)}-test-${count.toString(36)}`,
    call_id: `call-${count}`,
    at_ms: at,
    ended_ms: at,
    tenant: 'acme',
    key_id: 'key-1',
    model: 'acme/m',
    provider: 'acme',
    kind: 'attempt',
    outcome: 'complete',
    usage_source: 'reported',
    charged_nusd: 0,
    catalog_version: 'test-1',
    price_row: 'standard/*',
    ...cost,
    ...given,
  }
  return COLUMNS.map((column) => row[column] ?? null)
}

function costCells(pico: bigint): Partial<Record<LedgerColumn, Cell>> {
  return { cost_pusd: storable(pico), cost_uusd: storable(microOfPico(pico)), charged_nusd: storable(nanoOfPico(pico)) }
}

/** A database with the tables of the plugin, and these rows. */
export async function ledgerOf(rows: readonly Given[] = []): Promise<TestSqlite> {
  const sqlite = testSqlite()
  await migrate(sqlite, 'sqlite')
  await book(sqlite, rows)
  return sqlite
}

export async function book(sqlite: TestSqlite, rows: readonly Given[]): Promise<void> {
  for (const row of rows) await sqlite.query(insertText('sqlite', 1), ledgerRow(row))
}
