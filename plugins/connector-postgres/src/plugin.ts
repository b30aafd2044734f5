import { definePlugin, type PluginFactory, SwitchyardError, sql } from '@switchyard/contract'
import { type PostgresInput, postgresOptions } from './options.ts'
import { postgresDatabase } from './postgres-database.ts'
import { resolveTarget } from './target.ts'

/** The `sql` port on PostgreSQL: `postgres({ url: 'postgres://app@db.internal/app', password })`. Also carries out `sql.query`. */
export const postgres: PluginFactory<PostgresInput> = definePlugin({
  name: '@switchyard/connector-postgres',
  contract: 1,
  options: postgresOptions,
  provides: { sql },
  async setup(ctx) {
    const target = resolveTarget(ctx.options, ctx.instance)
    const database = postgresDatabase(target, ctx.options, { clock: ctx.clock, random: ctx.random })
    ctx.onClose(() => database.close())
    if (ctx.options.connectOnStart) {
      await database.probe(ctx.signal).catch((error: unknown) => {
        // At start, what the server will not have is a matter of the options.
        if (!SwitchyardError.is(error, 'UPSTREAM_REJECTED') && !SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
        throw new SwitchyardError('CONFIG_INVALID', error.message, { cause: error, plugin: ctx.instance })
      })
    }
    return {
      ports: { sql: database },
      serves: {
        'sql.query': ({ request, signal }) => database.query(request.sql, request.params, { signal }),
      },
      health: (signal) => database.probe(signal),
    }
  },
})
