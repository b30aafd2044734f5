import { type ModelEndpoint, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { hasStreams, translatableTo } from '@switchyard/model-wire'

/** Where requests for an endpoint go. */
export interface Route {
  /** What is asked of the upstream: the client's endpoint, or the one that its request is translated for. */
  readonly to: ModelEndpoint
  readonly url: string
}

/** The way of every endpoint that can be served: those that the upstream speaks, and those that are translated for one of them. */
export function routesTo(base: string, spoken: readonly ModelEndpoint[]): ReadonlyMap<ModelEndpoint, Route> {
  const routes = new Map<ModelEndpoint, Route>(
    spoken.map((endpoint) => [endpoint, { to: endpoint, url: `${base}/${endpoint}` }]),
  )
  for (const endpoint of ['chat/completions', 'messages', 'responses'] as const) {
    const to = translatableTo(endpoint).find((other) => spoken.includes(other))
    if (!routes.has(endpoint) && to !== undefined) routes.set(endpoint, { to, url: `${base}/${to}` })
  }
  return routes
}

/** Throws `UNSUPPORTED` for what cannot be served, or cannot be streamed. */
export function routeFor(routes: ReadonlyMap<ModelEndpoint, Route>, request: ModelRequest, instance: string): Route {
  const route = routes.get(request.endpoint)
  if (route !== undefined && (!request.stream || hasStreams(request.endpoint))) return route
  const what = route === undefined ? `does not serve ${request.endpoint}` : `does not stream ${request.endpoint}`
  throw new SwitchyardError('UNSUPPORTED', `${instance} ${what}; it serves ${[...routes.keys()].join(', ')}`, {
    plugin: instance,
  })
}
