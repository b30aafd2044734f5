import { type Call, quietTrace, type SqlResult } from '@switchyard/contract'
import type { BypassPlan, Kind, Plan, WritePlan } from '../../src/kind.ts'
import type { Dialect } from '../../src/sql/dialect.ts'
import { loadNarrowing, type Narrowing } from '../../src/sql/narrowing.ts'
import { type SqlInput, type SqlOptions, sqlOptions } from '../../src/sql/options.ts'
import { type SqlReady, sqlKind } from '../../src/sql/sql-kind.ts'

export const narrowings: Map<Dialect, Narrowing> = new Map()
for (const dialect of ['sqlite', 'postgres', 'mysql'] as const)
  narrowings.set(dialect, (await loadNarrowing(dialect)) as Narrowing)

export function validated(input: SqlInput): SqlOptions {
  return (sqlOptions as unknown as { parse(value: unknown): SqlOptions }).parse(input)
}

/** The kind over databases `orders` and `copy` of one dialect and `other`. */
export function kindWith(
  input: SqlInput,
  dialect: Dialect = 'sqlite',
  secret = 'a secret of the tests',
): Kind<'sql.query', SqlReady> {
  const dialects = new Map([
    ['orders', dialect],
    ['copy', dialect],
    ['other', 'postgres' as const],
  ])
  return sqlKind({ options: validated(input), secret, dialects, narrowings })
}

export const ALL: SqlInput = { rules: [{ match: { targets: ['orders', 'copy', 'other'] }, ttlMs: 60_000 }] }

type SqlCall = Call<'sql.query'>

export function sqlCall(sql: string, params: readonly unknown[] = [], changes: Partial<SqlCall> = {}): SqlCall {
  return {
    id: 'call-1',
    operation: 'sql.query',
    target: 'orders',
    request: { sql, params },
    principal: { tenant: 'acme', keyId: 'key-1', roles: [] },
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: {},
    trace: quietTrace(),
    ...changes,
  }
}

export function planned(plan: Plan | WritePlan | BypassPlan): Plan {
  if ('key' in plan) return plan
  throw new Error(`it is not looked up: ${JSON.stringify(plan)}`)
}

export async function framesOf(kind: Kind<'sql.query', SqlReady>, result: SqlResult): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of kind.frames(result)) frames.push(frame)
  return frames
}

export async function* given(frames: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* frames
}
