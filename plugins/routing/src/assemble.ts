import type { CatalogSource } from '@switchyard/catalog'
import type {
  Budgets,
  Health,
  ModelProvider,
  ModelRequest,
  Policy,
  SetupContext,
  SqlDatabase,
  Strategy,
} from '@switchyard/contract'
import { estimateRequest } from '@switchyard/model-wire'
import { Expectations } from './expectations.ts'
import { knowledgeOf } from './facts.ts'
import { feedbackStore } from './feedback/feedback-store.ts'
import type { Feedback } from './feedback/port.ts'
import { RecentCalls } from './feedback/recent-calls.ts'
import { GuidedCalls } from './guided/guided.ts'
import { learnPolicy } from './guided/learn-policy.ts'
import { openGuides } from './guided/open-guides.ts'
import type { RoutingOptions } from './options.ts'
import { routingPolicy } from './policy.ts'
import { rankings } from './rankings.ts'
import { bindRoutes, type Route } from './table.ts'
import './events.ts'

/** Ports of other plugins that routing stands on. */
export interface RoutingDeps {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly health: Health | undefined
  readonly catalog: CatalogSource | undefined
  readonly strategies: ReadonlyMap<string, Strategy>
  readonly budgets: Budgets | undefined
  readonly sql: SqlDatabase | undefined
}

/** What the plugin offers. */
export interface Assembled {
  readonly routes: ReadonlyMap<string, Route>
  readonly feedback: Feedback
  readonly policies: readonly Policy[]
}

/** Calls whose tenant and arm are remembered, for feedback that comes soon after. */
const RECENT_CALLS = 10_000

/** Puts all parts together. Rejects `CONFIG_INVALID` for what the assembly lacks, and for an artefact that cannot be used. */
export async function assemble(ctx: SetupContext<RoutingOptions, unknown>, deps: RoutingDeps): Promise<Assembled> {
  const { options, instance, clock, random } = ctx
  const expectations = new Expectations()
  const recent = new RecentCalls(deps.sql === undefined ? 0 : RECENT_CALLS)
  const { checkCapabilities, expectedOutputTokens } = options
  const knowledge = knowledgeOf({ ...deps, clock, random, checkCapabilities, expectedOutputTokens, expectations })
  const guides = await openGuides(ctx)
  const rankingOf = rankings(deps.strategies, knowledge, deps.catalog !== undefined, deps.health !== undefined)
  const routes = bindRoutes(options, deps.providers, (name, route) => ({ ...rankingOf(name, route), guided: guides.get(name) }))
  const learners = new Map(
    [...routes.values()]
      .filter(({ costs, guided }) => costs === 'expected' || guided !== undefined)
      .map(({ name, guided }) => [name, { sessions: guided?.sessions }]),
  )
  const estimate = (request: ModelRequest): number => estimateRequest(request.body, request.endpoint).inputTokens
  const routePolicy = routingPolicy({
    name: `${instance}/route`,
    instance,
    routes,
    knowledge,
    estimate,
    guided: new GuidedCalls({ name: `${instance}/route`, knowledge, clock, estimate }),
  })
  const policies: Policy[] = [routePolicy as unknown as Policy]
  // Placed only where a route asks for it: all other calls would pay for it too.
  if (learners.size > 0)
    policies.push(learnPolicy({ name: `${instance}/learn`, clock, expectations, recent, learners }) as unknown as Policy)
  return { routes, feedback: feedbackStore({ sql: deps.sql, recent, clock }), policies }
}
