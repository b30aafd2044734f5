import { type SqlDatabase, sql } from '@switchyard/contract'
import { conformance, judgeMutants, pluginSubject, type Subject, sqlSuite } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type PostgresInput, postgres } from '../src/index.ts'
import { freshSchema, needsServer, serverUrl } from './support/server.ts'

function subject(name: string, options: PostgresInput): Subject<SqlDatabase> {
  return pluginSubject<SqlDatabase, string>({
    name,
    port: sql,
    clock: 'system',
    plugin: (schema) =>
      postgres({
        url: serverUrl,
        poolMax: 5,
        acquireTimeoutMs: 2_000,
        ...(options.pgbouncer ? {} : { searchPath: [schema] }),
        ...options,
      }),
    async fixture() {
      const { schema, drop } = await freshSchema()
      return { fixture: schema, close: drop }
    },
  }) as Subject<SqlDatabase, never>
}

const prepared = subject('postgres', {})
const unprepared = subject('postgres, as behind pgbouncer', { pgbouncer: true })

needsServer()

for (const each of [prepared, unprepared]) describe(each.name, () => conformance(sqlSuite, each, test))

test('postgres kills every mutant of the suite', { timeout: 180_000 }, async () => {
  const { problems, verdicts } = await judgeMutants(sqlSuite, prepared, { concurrency: 8 })
  expect(problems).toEqual([])
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(sqlSuite.mutants.map(() => 'killed'))
})
