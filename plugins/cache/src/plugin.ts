import {
  budgets,
  cache,
  definePlugin,
  flights,
  many,
  model,
  optional,
  type PluginFactory,
  type Port,
  router,
  semanticCache,
  sql,
} from '@switchyard/contract'
import { type CacheAdmin, cacheAdmin } from './admin/port.ts'
import { assemble } from './assemble.ts'
import { type CacheInput, cacheOptions } from './options.ts'
import './events.ts'

const provides: { readonly cacheAdmin: Port<CacheAdmin> } = { cacheAdmin }

/**
 * The cache policy of all operations, on the port `cache`; with `flights` calls under way are shared over the fleet, with `semantic-cache` a
 * question is also answered that was asked in other words. Provides `cache-admin`.
 */
export const responseCache: PluginFactory<CacheInput> = definePlugin({
  name: '@switchyard/cache',
  contract: 1,
  options: cacheOptions,
  requires: {
    cache,
    flights: optional(flights),
    semantic: optional(semanticCache),
    budgets: optional(budgets),
    providers: many(model),
    routers: many(router),
    databases: many(sql),
  },
  provides,
  async setup(ctx) {
    const { admin, policy } = await assemble(ctx, ctx.deps)
    return { ports: { cacheAdmin: admin }, policies: [policy] }
  },
})
