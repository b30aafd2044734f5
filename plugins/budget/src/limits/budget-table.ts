import type { Bus, Clock, Logger, SqlDatabase } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import { placeholders } from '../ledger/statements.ts'
import { type Budget, budgetOf } from './budget.ts'
import type { BudgetAdmin, ListedBudget } from './budget-admin.ts'
import type { BudgetBook } from './budget-book.ts'
import { type BudgetDefinition, type BudgetDefinitionInput, budgetDefinition } from './definition.ts'

export interface BudgetTableOptions {
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly book: BudgetBook
  readonly bus: Bus | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  /** Budgets of the configuration, which win over rows of the same name. */
  readonly configured: readonly BudgetDefinition[]
}

interface Stored {
  readonly name: string
  readonly source: string
  readonly definition: string
  readonly since_ms: number
}

const TOPIC = 'switchyard/budgets'
const MESSAGE = new Uint8Array([1])

/**
 * The budgets of all nodes: those of the configuration and those of the table. The table also keeps when each was first seen, since a
 * budget does not count what was spent before it was there.
 */
export class BudgetTable implements BudgetAdmin {
  readonly #options: BudgetTableOptions
  readonly #configured: ReadonlySet<string>
  #listed: readonly ListedBudget[] = []
  #seen = ''
  #unsubscribe: (() => Promise<void>) | undefined

  constructor(options: BudgetTableOptions) {
    this.#options = options
    this.#configured = new Set(options.configured.map(({ name }) => name))
  }

  /** Enters the configured budgets, reads the rest, and listens for changes. Rejects as the port `sql` does. */
  async open(): Promise<void> {
    const { configured, bus } = this.#options
    for (const definition of configured) await this.#enter('INSERT', definition, 'configuration')
    await this.refresh()
    this.#unsubscribe = await bus?.subscribe(TOPIC, () => void this.refresh())
  }

  /** Reads the table again; what cannot be read leaves all as it is. */
  async refresh(): Promise<void> {
    const { database, book, log, configured } = this.#options
    try {
      const { rows } = await database.query<Stored>(
        'SELECT name, source, definition, since_ms FROM switchyard_budgets ORDER BY name',
      )
      const seen = JSON.stringify(rows)
      if (seen === this.#seen) return
      const since = new Map(rows.map(({ name, since_ms: ms }) => [name, Number(ms)]))
      const budgets: Budget[] = configured.map((definition) => budgetOf(definition, since.get(definition.name) ?? 0))
      const listed: ListedBudget[] = configured.map((definition) => ({ definition, source: 'configuration' }))
      for (const row of rows) {
        if (row.source !== 'admin' || this.#configured.has(row.name)) continue
        const parsed = budgetDefinition.safeParse(JSON.parse(row.definition))
        if (!parsed.success) {
          log.error({ budget: row.name, error: parsed.error }, 'a budget of the table cannot be read; it is left out')
          continue
        }
        budgets.push(budgetOf(parsed.data, Number(row.since_ms)))
        listed.push({ definition: parsed.data, source: 'admin' })
      }
      this.#seen = seen
      this.#listed = listed
      book.replace(budgets)
    } catch (error) {
      log.warn({ error }, 'the table of budgets cannot be read; the budgets stay as they were')
    }
  }

  async put(input: BudgetDefinitionInput): Promise<void> {
    const parsed = budgetDefinition.safeParse(input)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw new SwitchyardError('INVALID_REQUEST', `the budget is not valid: ${issue?.path.join('.')}: ${issue?.message}`)
    }
    this.#refuseConfigured(parsed.data.name)
    await this.#enter('UPSERT', parsed.data, 'admin')
    await this.#tell()
  }

  async remove(name: string): Promise<boolean> {
    this.#refuseConfigured(name)
    const { database, dialect } = this.#options
    const text = `DELETE FROM switchyard_budgets WHERE name = ${placeholders(dialect, 1)}`
    const { rowCount } = await database.query(text, [name])
    if (rowCount > 0) await this.#tell()
    return rowCount > 0
  }

  list(): readonly ListedBudget[] {
    return this.#listed
  }

  async close(): Promise<void> {
    await this.#unsubscribe?.()
  }

  #refuseConfigured(name: string): void {
    if (!this.#configured.has(name)) return
    throw new SwitchyardError('CONFLICT', `the budget "${name}" is of the configuration; change it there`)
  }

  async #enter(how: 'INSERT' | 'UPSERT', definition: BudgetDefinition, source: string): Promise<void> {
    const { database, dialect, clock } = this.#options
    const now = clock.now()
    const text =
      'INSERT INTO switchyard_budgets (name, source, definition, since_ms, updated_ms) ' +
      `VALUES (${placeholders(dialect, 5)}) ON CONFLICT (name) DO ` +
      // A changed budget keeps what was spent, so it also keeps since when it counts.
      (how === 'INSERT'
        ? 'NOTHING'
        : 'UPDATE SET source = excluded.source, definition = excluded.definition, updated_ms = excluded.updated_ms')
    await database.query(text, [definition.name, source, JSON.stringify(definition), now, now])
  }

  async #tell(): Promise<void> {
    await this.refresh()
    const { bus, log } = this.#options
    await bus?.publish(TOPIC, MESSAGE).catch((error: unknown) => {
      log.warn({ error }, 'other nodes were not told of a changed budget; they find it when they read the table again')
    })
  }
}
