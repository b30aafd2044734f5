import { COLUMNS, type LedgerColumn, type Row } from './columns.ts'
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

/** Columns that most rows leave empty: a batch without any of them is not made to bind them. */
const RARE: ReadonlySet<LedgerColumn> = new Set<LedgerColumn>([
  'session',
  'tags',
  'route',
  'purpose',
  'task_class',
  'arm',
  'control',
  'baseline_model',
  'unreconciled',
  'unknown_parts',
  'baseline_pusd',
  'saved_pusd',
  'saved_by',
  'adjusts',
])
const ALL: readonly number[] = COLUMNS.map((_, index) => index)
const USUAL: readonly number[] = ALL.filter((index) => !RARE.has(COLUMNS[index] as LedgerColumn))
const SELDOM: readonly number[] = ALL.filter((index) => RARE.has(COLUMNS[index] as LedgerColumn))

/** Places within a row of the columns that these rows need. */
export function columnsOf(rows: readonly Row[]): readonly number[] {
  for (const row of rows) for (const index of SELDOM) if (row[index] !== null) return ALL
  return USUAL
}

/** Inserts so many rows of these columns, and none whose attempt is in the ledger. */
export function insertText(dialect: Dialect, rows: number, columns: readonly number[] = ALL): string {
  const width = columns.length
  const name = `${dialect} ${rows} ${width}`
  const known = TEXTS.get(name)
  if (known !== undefined) return known
  const names = columns.map((index) => COLUMNS[index]).join(', ')
  const tuples = Array.from({ length: rows }, (_, row) => `(${placeholders(dialect, width, row * width + 1)})`)
  const text = `INSERT INTO switchyard_ledger (${names}) VALUES ${tuples.join(', ')} ON CONFLICT (attempt_id) DO NOTHING`
  TEXTS.set(name, text)
  return text
}
