/** What is known of an attempt before it is sent, in the order of an opening. */
export const OPENING_COLUMNS = [
  'attempt_id',
  'call_id',
  'at_ms',
  'tenant',
  'team',
  'key_id',
  'user_id',
  'provider',
  'model',
  'deployment',
  'endpoint',
  'stream',
  'attempt_no',
  'session',
  'tags',
  'route',
  'purpose',
  'task_class',
  'arm',
  'control',
  'baseline_model',
  'input_estimate',
  'expected_pusd',
  'held_nusd',
] as const

/** What its end adds, in the order of an outcome. */
export const OUTCOME_COLUMNS = [
  'kind',
  'ended_ms',
  'outcome',
  'usage_source',
  'unreconciled',
  'input_tokens',
  'output_tokens',
  'usage',
  'cost_parts',
  'cost_pusd',
  'cost_uusd',
  'charged_nusd',
  'unknown_parts',
  'catalog_version',
  'price_row',
  'price_bound',
  'baseline_pusd',
  'saved_pusd',
  'saved_by',
  'adjusts',
] as const

export type OpeningColumn = (typeof OPENING_COLUMNS)[number]
export type OutcomeColumn = (typeof OUTCOME_COLUMNS)[number]
export type LedgerColumn = OpeningColumn | OutcomeColumn

/** All columns of the ledger, in the order of a row. */
export const COLUMNS: readonly LedgerColumn[] = [...OPENING_COLUMNS, ...OUTCOME_COLUMNS]

/** A value as journal and ledger hold it. Whole numbers beyond 2^53 are text of digits. */
export type Cell = string | number | null
/** Cells of {@link OPENING_COLUMNS}. */
export type Opening = readonly Cell[]
/** Cells of {@link OUTCOME_COLUMNS}. */
export type Outcome = readonly Cell[]
/** Cells of {@link COLUMNS}. */
export type Row = readonly Cell[]

/** Place of a column within a row. */
export const AT: Readonly<Record<LedgerColumn, number>> = Object.fromEntries(
  COLUMNS.map((name, index) => [name, index]),
) as Record<LedgerColumn, number>

/** Columns that hold whole numbers; the others hold text. */
export const NUMBERS: ReadonlySet<LedgerColumn> = new Set<LedgerColumn>([
  'at_ms',
  'stream',
  'attempt_no',
  'control',
  'input_estimate',
  'expected_pusd',
  'held_nusd',
  'ended_ms',
  'unreconciled',
  'input_tokens',
  'output_tokens',
  'cost_pusd',
  'cost_uusd',
  'charged_nusd',
  'baseline_pusd',
  'saved_pusd',
])

const REQUIRED: ReadonlySet<LedgerColumn> = new Set<LedgerColumn>([
  'call_id',
  'at_ms',
  'tenant',
  'key_id',
  'model',
  'kind',
  'charged_nusd',
])

/** Declares a column after its name: NOT NULL where no row is without it. */
export function isRequired(column: LedgerColumn): boolean {
  return REQUIRED.has(column)
}

const TIME_DIGITS = 9

/** The beginning of the ids of all attempts of a millisecond; ids are in the order of time, so it also bounds a stretch of it. */
export function idFloor(atMs: number): string {
  return Math.max(0, Math.floor(atMs)).toString(36).padStart(TIME_DIGITS, '0')
}

/** Makes ids of attempts: time first, then a part of the node's own, then a count. */
export function attemptIds(random: () => number): (atMs: number) => string {
  let node = ''
  while (node.length < 10)
    node += Math.floor(random() * 36 ** 5)
      .toString(36)
      .padStart(5, '0')
  let count = 0
  let lastMs = -1
  let floor = ''
  return (atMs) => {
    if (atMs !== lastMs) {
      lastMs = atMs
      floor = `${idFloor(atMs)}-${node}-`
    }
    count += 1
    return floor + count.toString(36)
  }
}
