import type { SqlDatabase } from '@switchyard/contract'
import { compiler, send } from './reader.ts'
import type { Dialect } from './schema.ts'

/** One whole answer that the ledger tells of. */
export interface RecentAnswer {
  readonly tenant: string
  readonly keyId: string
  readonly model: string
  readonly outputTokens: number
}

/** Rows that are looked at; what is learnt of them halves with every thousand answers of a key anyway. */
const NEWEST = 2_000

/** The whole answers with reported usage among the newest rows, oldest first. Rejects with what the database rejects with. */
export async function recentAnswers(database: SqlDatabase, dialect: Dialect): Promise<readonly RecentAnswer[]> {
  const columns = ['tenant', 'key_id', 'model', 'output_tokens', 'kind', 'outcome', 'usage_source'] as const
  const newest = compiler(dialect)
    .selectFrom('switchyard_ledger')
    .select([...columns])
    .orderBy('attempt_id', 'desc')
  const rows = await send<Readonly<Record<(typeof columns)[number], unknown>>>(database, newest.limit(NEWEST))
  return rows
    .filter(({ kind, outcome, usage_source }) => kind === 'attempt' && outcome === 'complete' && usage_source === 'reported')
    .reverse()
    .map(({ tenant, key_id, model, output_tokens }) => ({
      tenant: String(tenant),
      keyId: String(key_id),
      model: String(model),
      outputTokens: Number(output_tokens),
    }))
}
