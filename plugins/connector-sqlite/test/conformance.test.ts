import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqlDatabase, sql } from '@switchyard/contract'
import { conformance, judgeMutants, pluginSubject, type Subject, sqlSuite } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { sqlite } from '../src/index.ts'

const inMemory: Subject<SqlDatabase> = pluginSubject({
  name: 'sqlite in memory',
  port: sql,
  clock: 'system',
  plugin: () => sqlite({ path: ':memory:', acquireTimeoutMs: 500 }),
})

const onDisk: Subject<SqlDatabase> = pluginSubject<SqlDatabase, string>({
  name: 'sqlite in a file',
  port: sql,
  clock: 'system',
  plugin: (folder) => sqlite({ path: join(folder, 'test.db'), synchronous: 'normal', acquireTimeoutMs: 500 }),
  async fixture() {
    const fixture = mkdtempSync(join(tmpdir(), 'switchyard-sqlite-'))
    return { fixture, close: async () => rmSync(fixture, { recursive: true }) }
  },
}) as Subject<SqlDatabase, never>

for (const subject of [inMemory, onDisk]) {
  describe(subject.name, () => {
    conformance(sqlSuite, subject, test)

    test('every mutant of the suite is killed', { timeout: 120_000 }, async () => {
      const { problems, verdicts } = await judgeMutants(sqlSuite, subject)
      expect(problems).toEqual([])
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(sqlSuite.mutants.map(() => 'killed'))
    })
  })
}
