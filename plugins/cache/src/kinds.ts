import type { Clock, ModelProvider, Operation, Router, SqlDatabase } from '@switchyard/contract'
import type { Kind } from './kind.ts'
import { modelKind } from './model/model-kind.ts'
import type { CacheOptions } from './options.ts'
import type { Dialect } from './sql/dialect.ts'
import { loadNarrowing, type Narrowing } from './sql/narrowing.ts'
import { sqlKind } from './sql/sql-kind.ts'

/** What kinds look at. */
export interface KindParts {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly routers: ReadonlyMap<string, Router>
  readonly databases: ReadonlyMap<string, SqlDatabase>
  readonly clock: Pick<Clock, 'now' | 'schedule'>
}

/** Keys need some secret; without one given, whoever knows a request can tell its key. */
const NO_SECRET = '@switchyard/cache'

/** The kinds that the options ask for, by operation. Rejects `CONFIG_INVALID` where they name no instance. */
export async function kindsOf(
  { models, sql, secret }: CacheOptions,
  { providers, routers, databases, clock }: KindParts,
): Promise<ReadonlyMap<Operation, Kind>> {
  const revealed = secret?.reveal() ?? NO_SECRET
  const kinds = new Map<Operation, Kind>()
  // What any provider hands on may change an answer: which of them will serve is not known yet.
  const forwarded = [...providers.values()].flatMap(({ capabilities }) => capabilities.forwards ?? [])
  const options = { ...models, varyHeaders: [...models.varyHeaders, ...forwarded.map((name) => name.toLowerCase())] }
  kinds.set('model.invoke', modelKind({ options, secret: revealed, clock, versionOf: versionOf(routers) }) as unknown as Kind)
  // Where nothing of a database may be kept, its statements are left alone altogether.
  if (sql.rules.length === 0) return kinds
  const dialects = new Map([...databases].map(([instance, { capabilities }]) => [instance, capabilities.dialect]))
  const narrowings = new Map<Dialect, Narrowing>()
  for (const dialect of new Set(dialects.values())) {
    const narrowing = await loadNarrowing(dialect)
    if (narrowing !== undefined) narrowings.set(dialect, narrowing)
  }
  kinds.set('sql.query', sqlKind({ options: sql, secret: revealed, dialects, narrowings }) as unknown as Kind)
  return kinds
}

/** What a name stands for, as the router says whose name it is. */
function versionOf(routers: ReadonlyMap<string, Router>): (model: string) => string | undefined {
  const all = [...routers.values()].filter((one) => one.version !== undefined)
  return (model) => {
    for (const one of all) {
      const version = one.version?.(model)
      if (version !== undefined) return version
    }
    return undefined
  }
}
