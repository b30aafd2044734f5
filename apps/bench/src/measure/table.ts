import { writeFile } from 'node:fs/promises'

export type Cell = string | number | undefined

/** A table for people: numbers to the right, rounded to what the reader can use. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(show))]
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const numeric = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
  return cells.map((row) => line(row).trimEnd()).join('\n')
}

/** Writes `{ rows, … }` for programs. */
export async function writeJson(path: string, value: { readonly rows: readonly unknown[] }): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
}

function show(cell: Cell): string {
  if (cell === undefined) return '-'
  if (typeof cell === 'string') return cell
  if (!Number.isFinite(cell)) return '-'
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : cell.toFixed(2)
}
