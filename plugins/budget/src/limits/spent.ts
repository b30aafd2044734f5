import type { SqlDatabase } from '@switchyard/contract'
import { idFloor, type LedgerColumn } from '../ledger/columns.ts'
import type { Dialect } from '../ledger/schema.ts'
import type { Budget } from './budget.ts'
import type { BudgetLevel } from './definition.ts'
import { keyValue } from './keys.ts'

const COLUMN_OF: Readonly<Record<Exclude<BudgetLevel, 'tag'>, LedgerColumn>> = {
  org: 'tenant',
  team: 'team',
  key: 'key_id',
  user: 'user_id',
  model: 'model',
  provider: 'provider',
  session: 'session',
}

/** Asks the ledger what was spent: nano-USD by value of a budget's level, of attempts that began in [from, to). */
export class Spent {
  readonly #database: SqlDatabase
  readonly #dialect: Dialect

  constructor(database: SqlDatabase, dialect: Dialect) {
    this.#database = database
    this.#dialect = dialect
  }

  /** Every value that the budget covers, as it stands in keys. */
  async byValue(budget: Budget, tenant: string, from: number, to: number | undefined): Promise<ReadonlyMap<string, bigint>> {
    const value = this.#valueOf(budget)
    const params: unknown[] = [tenant, idFloor(Math.max(from, budget.since))]
    const mark = (index: number): string => (this.#dialect === 'sqlite' ? '?' : `$${index}`)
    let text = `SELECT ${value} AS value, SUM(charged_nusd) AS spent FROM switchyard_ledger WHERE tenant = ${mark(1)} AND attempt_id >= ${mark(2)}`
    if (to !== undefined) {
      params.push(idFloor(to))
      text += ` AND attempt_id < ${mark(3)}`
    }
    text += ` AND ${value} IS NOT NULL GROUP BY 1`
    const { rows } = await this.#database.query<{ value: string; spent: number | bigint | string | null }>(text, params)
    const sums = new Map<string, bigint>()
    for (const { value: found, spent } of rows) {
      if (found === '' || !budget.covers(found) || spent === null) continue
      const name = keyValue(found)
      sums.set(name, (sums.get(name) ?? 0n) + wholeOf(spent))
    }
    return sums
  }

  #valueOf(budget: Budget): string {
    if (budget.level !== 'tag') return COLUMN_OF[budget.level]
    const tag = budget.tag as string
    // A tag's name comes from the configuration or an admin; it is quoted all the same.
    if (this.#dialect === 'postgres') return `(tags::jsonb ->> '${tag.replaceAll("'", "''")}')`
    const path = `$.${JSON.stringify(tag)}`
    return `CAST(json_extract(tags, '${path.replaceAll("'", "''")}') AS TEXT)`
  }
}

function wholeOf(value: number | bigint | string): bigint {
  return BigInt(typeof value === 'string' ? (value.split('.')[0] as string) : value)
}
