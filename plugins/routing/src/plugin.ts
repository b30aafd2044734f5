import { catalog } from '@switchyard/catalog'
import { definePlugin, health, many, model, optional, type PluginFactory, router, SwitchyardError } from '@switchyard/contract'
import { estimateRequest } from '@switchyard/model-wire'
import { knowledgeOf } from './facts.ts'
import { type RoutingInput, routingOptions } from './options.ts'
import { routingPolicy } from './policy.ts'
import { bindRoutes } from './table.ts'

const NEEDS_HEALTH: ReadonlySet<string> = new Set(['least-busy', 'latency'])

/** The policy that chooses where a model request goes, and the port `router` with the public names of its table. */
export const routing: PluginFactory<RoutingInput> = definePlugin({
  name: '@switchyard/routing',
  contract: 1,
  options: routingOptions,
  requires: { providers: many(model), health: optional(health), catalog: optional(catalog) },
  provides: { router },
  setup({ options, deps, instance, clock, random }) {
    const routes = bindRoutes(options, deps.providers)
    for (const { name, strategy } of routes.values()) {
      const lacks =
        deps.health === undefined && NEEDS_HEALTH.has(strategy)
          ? '@switchyard/health'
          : deps.catalog === undefined && strategy === 'price'
            ? 'a plugin that provides the port catalog@1'
            : undefined
      if (lacks === undefined) continue
      throw new SwitchyardError(
        'CONFIG_INVALID',
        `routing: the strategy ${strategy} of "${name}" needs ${lacks} in the assembly`,
      )
    }
    const knowledge = knowledgeOf({
      providers: deps.providers,
      health: deps.health,
      catalog: deps.catalog,
      clock,
      random,
      checkCapabilities: options.checkCapabilities,
      expectedOutputTokens: options.expectedOutputTokens,
    })
    return {
      ports: {
        router: { routes: () => [...routes.keys()].map((id) => ({ id, ownedBy: 'switchyard' })) },
      },
      policies: [
        routingPolicy({
          name: `${instance}/route`,
          instance,
          routes,
          knowledge,
          estimate: (request) => estimateRequest(request.body, request.endpoint).inputTokens,
        }),
      ],
    }
  },
})
