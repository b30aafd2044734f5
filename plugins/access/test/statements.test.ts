import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { keyStore } from '../src/key-store.ts'
import { openTables, statementsFor } from '../src/statements.ts'
import { fileSql } from './support/file-sql.ts'

/** A database that speaks as PostgreSQL does, over SQLite, which knows `$1` as well. */
function numbered(fail?: (text: string) => Error | undefined): SqlDatabase & { readonly texts: string[] } {
  const under = fileSql()
  const texts: string[] = []
  return {
    ...under,
    texts,
    capabilities: { ...under.capabilities, dialect: 'postgres' },
    async query(text, params) {
      texts.push(text)
      const error = fail?.(text)
      if (error !== undefined) throw error
      return under.query(text.replaceAll(/\$(\d+)/g, '?$1'), params)
    },
  }
}

describe('placeholders', () => {
  test('are numbered for postgres, in their order, and stay as they are for sqlite', () => {
    const text = 'UPDATE t SET a = ?, b = ? WHERE c = ?'
    expect(statementsFor('sqlite')(text)).toBe(text)
    const postgres = statementsFor('postgres')
    for (let time = 0; time < 2; time++) expect(postgres(text)).toBe('UPDATE t SET a = $1, b = $2 WHERE c = $3')
  })

  test('stand for every value of a list: no value is in a statement', async () => {
    const sql = numbered()
    await openTables(sql, 1)
    await keyStore(sql, () => 1).list({ tenant: "x' OR 1=1", team: 't', user: 'u', class: 'virtual', after: 'a', limit: 7 })
    const text = sql.texts.at(-1) as string
    expect(text).toMatch(/id > \$1 AND tenant = \$2 AND team = \$3 AND user_name = \$4 AND class = \$5 ORDER BY id LIMIT \$6$/)
    expect(text).not.toContain('OR 1=1')
  })
})

describe('tables', () => {
  test('are made although another node made one at the same moment', async () => {
    let failed = 0
    const sql = numbered((text) =>
      text.startsWith('CREATE') && failed++ % 2 === 0
        ? new SwitchyardError('CONFLICT', 'made twice at once; try again')
        : undefined,
    )
    await openTables(sql, 1)
    expect(await keyStore(sql, () => 1).any()).toBe(false)
  })

  test('that cannot be made stop the start', async () => {
    const away = numbered(() => new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away; start the database'))
    await expect(openTables(away, 1)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
})
