import { type Cell, COLUMNS, type LedgerColumn, type Row } from './columns.ts'
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
  for (let row = 0; row < rows.length; row++) if (needsAll(rows[row] as Row)) return ALL
  return USUAL
}

function needsAll(row: Row): boolean {
  for (let index = 0; index < SELDOM.length; index++) if (row[SELDOM[index] as number] !== null) return true
  return false
}

/** The parameters of `insertText`. Counted loops: it runs too seldom for the compiler to spare an iterator its result objects. */
export function parametersOf(rows: readonly Row[], columns: readonly number[]): readonly Cell[] {
  const width = columns.length
  const parameters = new Array<Cell>(rows.length * width)
  for (let row = 0; row < rows.length; row++) fill(parameters, row * width, rows[row] as Row, columns)
  return parameters
}

function fill(parameters: Cell[], from: number, row: Row, columns: readonly number[]): void {
  for (let index = 0; index < columns.length; index++) parameters[from + index] = row[columns[index] as number] as Cell
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
