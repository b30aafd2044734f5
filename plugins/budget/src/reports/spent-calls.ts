import type { CallOptions, SqlDatabase, Usage } from '@switchyard/contract'
import { sql } from 'kysely'
import type { Dialect } from '../ledger/schema.ts'
import { wholeOf } from './amounts.ts'
import { conditionOf } from './dimensions.ts'
import type { CostRows } from './port.ts'
import { ask } from './report.ts'

/** One attempt as it stands after its corrections, or a reply from a cache. */
export interface SpentAttempt {
  readonly at: number
  readonly model: string
  readonly purpose: string | undefined
  readonly taskClass: string
  readonly session: string | undefined
  readonly baseline: string | undefined
  readonly isControl: boolean
  readonly isCache: boolean
  readonly isStandardTier: boolean
  readonly isComplete: boolean
  usage: Usage | undefined
  /** Pico-USD; undefined where it is not known. */
  pico: bigint | undefined
  /** Pico-USD that a reply from a cache would have cost; undefined where that is not known. */
  readonly cacheSaved: bigint | undefined
}

/** All that was sent for one call. */
export type SpentCall = readonly SpentAttempt[]

interface Found {
  readonly attempt_id: string
  readonly adjusts: string | null
  readonly call_id: string
  readonly tenant: string
  readonly at_ms: unknown
  readonly kind: string
  readonly model: string
  readonly purpose: string | null
  readonly task_class: string | null
  readonly session: string | null
  readonly baseline_model: string | null
  readonly control: unknown
  readonly outcome: string | null
  readonly usage: string | null
  readonly usage_source: string | null
  readonly price_row: string | null
  readonly cost_pusd: unknown
  readonly unknown_parts: string | null
  readonly saved_pusd: unknown
}

const PAGE = 10_000
/** More than this is not read into memory at once. */
const MOST_ROWS = 200_000

/** Attempts of a range by call, in the order in which calls began. `isCut` where there were more than 200,000 rows: the first of them. */
export async function spentCalls(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows,
  options?: CallOptions,
): Promise<{ readonly calls: readonly SpentCall[]; readonly isCut: boolean }> {
  const condition = conditionOf(query, dialect)
  const calls = new Map<string, SpentAttempt[]>()
  const attempts = new Map<string, SpentAttempt>()
  let after = ''
  for (let read = 0; read < MOST_ROWS; ) {
    const statement = sql`SELECT attempt_id, adjusts, call_id, tenant, at_ms, kind, model, purpose, task_class, session, baseline_model, control,
      outcome, usage, usage_source, price_row, cost_pusd, unknown_parts, saved_pusd
      FROM switchyard_ledger WHERE ${condition} AND attempt_id > ${after} ORDER BY attempt_id LIMIT ${sql.lit(PAGE)}`
    const page = await ask<Found>(database, dialect, statement, options)
    for (const row of page) enter(row, calls, attempts)
    read += page.length
    if (page.length < PAGE) return { calls: [...calls.values()], isCut: false }
    after = page.at(-1)?.attempt_id as string
  }
  return { calls: [...calls.values()], isCut: true }
}

function enter(row: Found, calls: Map<string, SpentAttempt[]>, attempts: Map<string, SpentAttempt>): void {
  const pico = row.unknown_parts !== null || row.cost_pusd === null ? undefined : wholeOf(row.cost_pusd)
  const usage = row.usage === null || row.usage_source === 'none' ? undefined : (JSON.parse(row.usage) as Usage)
  const corrected = row.adjusts === null ? undefined : attempts.get(row.adjusts)
  if (corrected !== undefined) {
    corrected.pico = corrected.pico === undefined || pico === undefined ? pico : corrected.pico + pico
    corrected.usage = usage ?? corrected.usage
    return
  }
  const attempt: SpentAttempt = {
    at: Number(row.at_ms),
    model: row.model,
    purpose: row.purpose ?? undefined,
    taskClass: row.task_class ?? '',
    session: row.session === null ? undefined : `${row.tenant}\n${row.session}`,
    baseline: row.baseline_model ?? undefined,
    isControl: Number(row.control ?? 0) === 1,
    isCache: row.kind === 'cache',
    isStandardTier: row.price_row === null || row.price_row.startsWith('standard/'),
    isComplete: row.outcome === 'complete',
    usage,
    pico,
    cacheSaved: row.kind !== 'cache' || row.saved_pusd === null ? undefined : wholeOf(row.saved_pusd),
  }
  attempts.set(row.attempt_id, attempt)
  // A client may send one id twice, and each tenant its own.
  const key = `${row.tenant}\n${row.call_id}`
  const call = calls.get(key)
  if (call === undefined) calls.set(key, [attempt])
  else call.push(attempt)
}
