import { MODEL_ENDPOINTS, type ModelEndpoint } from '@switchyard/contract'
import { translatableTo } from '@switchyard/model-wire'
import { type Provider, pathOf } from './adapters.ts'

/** How requests for an endpoint go through Portkey. */
export interface Way {
  /** What is asked of Portkey: the client's endpoint, or the one that its request is translated for. */
  readonly to: ModelEndpoint
  readonly url: string
}

export type Ways = ReadonlyMap<ModelEndpoint, Way>

/** Of Claude, its own messages rather than Portkey's chat for it. */
const BETTER_FIRST: readonly ModelEndpoint[] = ['messages', 'chat/completions']

/** What is asked for in turn. */
const TRIED: ReadonlyMap<ModelEndpoint, readonly ModelEndpoint[]> = new Map(
  MODEL_ENDPOINTS.map((endpoint) => [
    endpoint,
    [endpoint, ...BETTER_FIRST.filter((to) => translatableTo(endpoint).includes(to))],
  ]),
)

/**
 * The way to an endpoint that all of these providers can be asked by, as any of them may get the call: the endpoint's own, else that of one
 * which its requests can be translated for.
 */
export function wayTo(base: string, providers: readonly Provider[], endpoint: ModelEndpoint): Way | undefined {
  for (const to of TRIED.get(endpoint) ?? []) {
    const [path, ...others] = new Set(providers.map((provider) => pathOf(provider, to)))
    if (path !== undefined && others.length === 0) return { to, url: `${base}/${path}` }
  }
  return undefined
}

/** The ways to all endpoints that have one. */
export function waysTo(base: string, providers: readonly Provider[]): Ways {
  const ways = new Map<ModelEndpoint, Way>()
  for (const endpoint of MODEL_ENDPOINTS) {
    const way = wayTo(base, providers, endpoint)
    if (way !== undefined) ways.set(endpoint, way)
  }
  return ways
}
