import { definePlugin, type PluginFactory, sql } from '@switchyard/contract'
import { type SqliteInput, sqliteOptions } from './options.ts'
import { openSqlite } from './sqlite-database.ts'

/** The `sql` port on SQLite: `sqlite({ path: 'data/switchyard.db' })`. Also carries out `sql.query`. */
export const sqlite: PluginFactory<SqliteInput> = definePlugin({
  name: '@switchyard/connector-sqlite',
  contract: 1,
  options: sqliteOptions,
  provides: { sql },
  async setup(ctx) {
    const database = await openSqlite(ctx.options, { clock: ctx.clock, random: ctx.random })
    ctx.onClose(() => database.close())
    return {
      ports: { sql: database },
      serves: {
        'sql.query': ({ request, signal }) => database.query(request.sql, request.params, { signal }),
      },
      async health() {
        database.probe()
      },
    }
  },
})
