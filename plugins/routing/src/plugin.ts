import { catalog } from '@switchyard/catalog'
import {
  budgets,
  definePlugin,
  health,
  many,
  model,
  optional,
  type PluginFactory,
  router,
  sql,
  strategy,
} from '@switchyard/contract'
import { assemble } from './assemble.ts'
import { feedback } from './feedback/port.ts'
import { type RoutingInput, routingOptions } from './options.ts'
import { versionsOf } from './versions.ts'

/**
 * The policy that chooses where a model request goes, the port `router` with the public names of its table, and the port `feedback` with
 * what clients say of answers.
 */
export const routing: PluginFactory<RoutingInput> = definePlugin({
  name: '@switchyard/routing',
  contract: 1,
  options: routingOptions,
  requires: {
    providers: many(model),
    strategies: many(strategy),
    health: optional(health),
    catalog: optional(catalog),
    budgets: optional(budgets),
    sql: optional(sql),
  },
  provides: { router, feedback },
  async setup(ctx) {
    const { routes, feedback: kept, policies } = await assemble(ctx, ctx.deps)
    const versions = versionsOf(ctx.options)
    return {
      ports: {
        router: {
          routes: () => [...routes.keys()].map((id) => ({ id, ownedBy: 'switchyard' })),
          version: (name) => versions.get(name),
        },
        feedback: kept,
      },
      policies,
    }
  },
})
