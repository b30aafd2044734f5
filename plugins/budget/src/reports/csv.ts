/** A cell: text of others, which no spreadsheet may take for a formula, or a number of our own as digits. */
export type CsvCell = string | null | { readonly digits: string }

const FORMULA = /^[=+\-@\t\r]/
const QUOTED = /[",\r\n]/

/** One line of CSV (RFC 4180), with its end. Text that a spreadsheet would run begins with an apostrophe. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`
}

function cellText(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return cell.digits
  const safe = FORMULA.test(cell) ? `'${cell}` : cell
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
