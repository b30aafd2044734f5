import { COLUMNS } from './columns.ts'
import type { Dialect } from './schema.ts'

/** Rows of one statement, largest first: few texts, so that a connection keeps them prepared. */
const SIZES = [64, 16, 4, 1] as const
const TEXTS = new Map<string, string>()

/** Placeholders of a dialect, from the first parameter on. */
export function placeholders(dialect: Dialect, count: number, first = 1): string {
  if (dialect === 'sqlite') return new Array<string>(count).fill('?').join(', ')
  return Array.from({ length: count }, (_, index) => `$${first + index}`).join(', ')
}

/** How many rows the next statement takes of so many. */
export function chunkOf(rows: number): number {
  return SIZES.find((size) => size <= rows) ?? 1
}

/** Inserts so many rows, and none whose attempt is in the ledger. */
export function insertText(dialect: Dialect, rows: number): string {
  const name = `${dialect} ${rows}`
  const known = TEXTS.get(name)
  if (known !== undefined) return known
  const width = COLUMNS.length
  const tuples = Array.from({ length: rows }, (_, row) => `(${placeholders(dialect, width, row * width + 1)})`)
  const text = `INSERT INTO switchyard_ledger (${COLUMNS.join(', ')}) VALUES ${tuples.join(', ')} ON CONFLICT (attempt_id) DO NOTHING`
  TEXTS.set(name, text)
  return text
}
