import { type Clock, type Logger, type SqlDatabase, type SqlSession, SwitchyardError } from '@switchyard/contract'
import { AT, COLUMNS, type Row } from './columns.ts'
import { type Booked, lateRow } from './corrections.ts'
import type { Dialect } from './schema.ts'
import { chunkOf, columnsOf, insertText, parametersOf, placeholders } from './statements.ts'

const PROBE = `SELECT ${COLUMNS.join(', ')} FROM switchyard_ledger LIMIT 0`
const BATCH_ROWS = 256
const BATCH_MS = 100
const RETRY_MS = { first: 100, longest: 5_000 } as const

export interface WriterOptions {
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Logger
}

interface Entry {
  readonly row: Row
  /** Told once the row is in the ledger for good. */
  readonly booked: (() => void) | undefined
}

/** Rows on their way into the ledger: 256 of them or 100 ms in one transaction, in order, each attempt once. */
export class LedgerWriter {
  readonly #database: SqlDatabase
  readonly #dialect: Dialect
  readonly #clock: Pick<Clock, 'schedule'>
  readonly #log: Logger
  #waiting: Entry[] = []
  #cancel: (() => void) | undefined
  #writing: Promise<void> | undefined
  #retryMs: number = RETRY_MS.first
  #failure: unknown
  #closed = false

  constructor({ database, dialect, clock, log }: WriterOptions) {
    this.#database = database
    this.#dialect = dialect
    this.#clock = clock
    this.#log = log
  }

  /** Rows that are not in the ledger yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Why the last write failed; undefined while the ledger takes what it is given. */
  get failure(): unknown {
    return this.#failure
  }

  add(row: Row, booked?: () => void): void {
    this.#waiting.push({ row, booked })
    if (this.#waiting.length >= BATCH_ROWS && this.#failure === undefined) this.#start()
    else this.#arm(BATCH_MS)
  }

  /** Resolves when all rows given before are in the ledger. Rejects with what kept them out; they stay waiting. */
  async flush(): Promise<void> {
    await this.#writing
    while (this.#waiting.length > 0) {
      this.#start()
      await this.#writing
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  /** Tries once more to write what waits, then stops. Rejects with what kept it out. */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#closed = true
      this.#cancel?.()
    }
  }

  #arm(ms: number): void {
    if (this.#cancel !== undefined || this.#closed) return
    this.#cancel = this.#clock.schedule(ms, () => {
      this.#cancel = undefined
      this.#start()
    })
  }

  #start(): void {
    if (this.#writing !== undefined || this.#closed) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#writing = this.#run().finally(() => {
      this.#writing = undefined
      if (this.#waiting.length === 0) return
      if (this.#failure === undefined && this.#waiting.length >= BATCH_ROWS) this.#start()
      else this.#arm(this.#failure === undefined ? BATCH_MS : this.#retryMs)
    })
  }

  async #run(): Promise<void> {
    const batch = this.#waiting.slice(0, BATCH_ROWS)
    try {
      await this.#write(batch)
      this.#done(batch.length, batch)
    } catch (error) {
      const refused = SwitchyardError.is(error, 'INVALID_REQUEST') && batch.length > 0
      if (refused && (await this.#stands())) await this.#oneByOne(batch)
      else this.#failed(error)
    }
  }

  /** Whether the table is there, with all its columns: else no row is to blame, and none is given up. */
  async #stands(): Promise<boolean> {
    try {
      await this.#database.query(PROBE)
      return true
    } catch {
      return false
    }
  }

  #done(count: number, entries: readonly Entry[]): void {
    this.#waiting.splice(0, count)
    this.#failure = undefined
    this.#retryMs = RETRY_MS.first
    for (const { booked } of entries) booked?.()
  }

  #failed(error: unknown): void {
    if (this.#failure === undefined) {
      this.#log.error(
        { error, waiting: this.#waiting.length },
        'the ledger cannot be written; its rows are kept and tried again',
      )
    }
    this.#failure = error
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.longest)
  }

  /** A row that the database will not have must not keep out the others; its journal record stays. */
  async #oneByOne(batch: readonly Entry[]): Promise<void> {
    for (const entry of batch) {
      try {
        await this.#write([entry])
        this.#done(1, [entry])
      } catch (error) {
        if (!SwitchyardError.is(error, 'INVALID_REQUEST')) return this.#failed(error)
        this.#log.error({ error, row: entry.row }, 'the ledger refuses a row; book it by hand')
        this.#waiting.shift()
      }
    }
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    const rows = batch.map(({ row }) => row)
    const insert = async (session: SqlSession): Promise<void> => {
      if ((await this.#insert(session, rows)) === rows.length) return
      const late = await this.#late(session, rows)
      if (late.length > 0) await this.#insert(session, late)
    }
    if (rows.length === chunkOf(rows.length)) await insert(this.#database)
    else await this.#database.transaction(insert)
  }

  async #insert(session: SqlSession, rows: readonly Row[]): Promise<number> {
    let inserted = 0
    for (let from = 0; from < rows.length; ) {
      const size = chunkOf(rows.length - from)
      const chunk = rows.slice(from, from + size)
      const columns = columnsOf(chunk)
      inserted += (await session.query(insertText(this.#dialect, size, columns), parametersOf(chunk, columns))).rowCount
      from += size
    }
    return inserted
  }

  /** Adjusting rows for attempts that somebody has booked as unsettled meanwhile. */
  async #late(session: SqlSession, rows: readonly Row[]): Promise<readonly Row[]> {
    const byId = new Map(rows.map((row) => [row[AT.attempt_id] as string, row]))
    const booked = await bookedOf(session, this.#dialect, [...byId.keys()])
    return booked.flatMap((found) => {
      const late = lateRow(byId.get(found.attempt_id) as Row, found)
      return late === undefined ? [] : [late]
    })
  }
}

/** What the ledger holds of these attempts. */
export async function bookedOf(session: SqlSession, dialect: Dialect, ids: readonly string[]): Promise<readonly Booked[]> {
  if (ids.length === 0) return []
  const text =
    'SELECT attempt_id, kind, cost_pusd, cost_uusd, charged_nusd FROM switchyard_ledger ' +
    `WHERE attempt_id IN (${placeholders(dialect, ids.length)})`
  return (await session.query<Booked>(text, ids)).rows
}

/** Ids of one statement. */
const KNOWN_AT_ONCE = 500

/** Which of these attempts are in the ledger, in whatever kind of row. */
export async function knownOf(session: SqlSession, dialect: Dialect, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  for (let from = 0; from < ids.length; from += KNOWN_AT_ONCE) {
    for (const { attempt_id: id } of await bookedOf(session, dialect, ids.slice(from, from + KNOWN_AT_ONCE))) known.add(id)
  }
  return known
}
