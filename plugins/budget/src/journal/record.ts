import { AT, type Cell, OPENING_COLUMNS, type Opening, OUTCOME_COLUMNS, type Outcome, type Row } from '../ledger/columns.ts'

/** What a journal says: attempts that ended, and attempts of which nothing more is known than that they began. */
export interface Replayed {
  readonly ended: readonly Row[]
  readonly open: readonly Opening[]
  /** Lines that could not be read: the last one of a process that was killed, or damage. */
  readonly unreadable: number
}

const OPENED = 'o'
const ENDED = 'e'
const WHOLE = 'r'

/** The record of an attempt that is about to be sent, of an opening that is JSON already. */
export function openedLine(openingJson: string): string {
  return `${OPENED}${openingJson}\n`
}

/** The record of its end. */
export function endedLine(attemptId: string, outcome: Outcome): string {
  return `${ENDED}${JSON.stringify(attemptId)} ${JSON.stringify(outcome)}\n`
}

/** The record of a row that had no beginning, such as a cache hit. */
export function wholeLine(row: Row): string {
  return `${WHOLE}${JSON.stringify(row)}\n`
}

/** Reads the records of one journal, in the order they were written. An end whose beginning is gone was booked before. */
export function replay(texts: Iterable<string>): Replayed {
  const open = new Map<string, Opening>()
  const ended: Row[] = []
  let unreadable = 0
  for (const text of texts) {
    for (const line of text.split('\n')) {
      if (line !== '' && !read(line, open, ended)) unreadable += 1
    }
  }
  return { ended, open: [...open.values()], unreadable }
}

function read(line: string, open: Map<string, Opening>, ended: Row[]): boolean {
  try {
    if (line.startsWith(OPENED)) {
      const opening = cells(line.slice(1), OPENING_COLUMNS.length)
      open.set(opening[AT.attempt_id] as string, opening)
    } else if (line.startsWith(ENDED)) {
      const space = line.indexOf(' ')
      const id = JSON.parse(line.slice(1, space)) as string
      const outcome = cells(line.slice(space + 1), OUTCOME_COLUMNS.length)
      const opening = open.get(id)
      if (opening !== undefined) ended.push([...opening, ...outcome])
      open.delete(id)
    } else if (line.startsWith(WHOLE)) ended.push(cells(line.slice(1), OPENING_COLUMNS.length + OUTCOME_COLUMNS.length))
    else return false
    return true
  } catch {
    return false
  }
}

function cells(json: string, count: number): readonly Cell[] {
  const value: unknown = JSON.parse(json)
  if (!Array.isArray(value) || value.length !== count) throw new TypeError('not a record')
  return value as readonly Cell[]
}
