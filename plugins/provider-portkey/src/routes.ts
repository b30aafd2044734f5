import { MODEL_ENDPOINTS, type ModelEndpoint, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { isClaude, type Provider } from './adapters.ts'
import { slugsOf } from './client-config.ts'
import type { PortkeyOptions } from './options.ts'
import { type CreateHeaders, commonHeaders, providerHeaders } from './provider-headers.ts'
import { type Way, type Ways, waysTo, wayTo } from './ways.ts'

type Headers = Readonly<Record<string, string>>

/** Where a request goes. */
export interface Route {
  /** Portkey's slug; empty where a config or a virtual key decides. */
  readonly slug: string
  readonly model: string
  readonly headers: Headers
  /** Undefined where the provider was not known at set-up. */
  readonly ways: Ways | undefined
}

/** One provider of the options, made ready. */
interface Known {
  readonly slug: string
  readonly headers: Headers
  readonly claude: Ways
  readonly others: Ways
}

export interface Routes {
  /** By the prefix of their models. */
  readonly known: ReadonlyMap<string, Known>
  /** All that is reached by any of the providers that can be asked. */
  readonly endpoints: readonly ModelEndpoint[]
  /** Throws `NOT_FOUND` for a model that nobody serves. */
  of(request: ModelRequest): Route
  /** Providers that may get the call, as Portkey decides: what a config names wins over the header. */
  slugsOf(route: Route, fromClient: readonly string[]): readonly string[]
  /** Throws `UNSUPPORTED` for an endpoint that these providers cannot be asked for. */
  wayOf(route: Route, endpoint: ModelEndpoint, slugs: readonly string[]): Way
}

export interface RouteParts {
  readonly options: PortkeyOptions
  readonly instance: string
  /** Portkey's URL with `/v1`. */
  readonly base: string
  readonly createHeaders: CreateHeaders
}

/** All that requests are routed by, reckoned once. */
export function portkeyRoutes({ options, instance, base, createHeaders }: RouteParts): Routes {
  const common = commonHeaders(options, createHeaders)
  const hosted = options.apiKey !== undefined
  const operatorSlugs = slugsOf(options.config)
  const known = new Map<string, Known>()
  for (const [prefix, given] of Object.entries(options.providers)) {
    const slug = given.slug ?? prefix
    const ways = (claude: boolean): Ways =>
      waysTo(base, [{ slug, claude, ownHost: given.customHost !== undefined, endpoints: given.endpoints }])
    const headers = Object.freeze({ ...common, ...providerHeaders(prefix, given, createHeaders) })
    known.set(prefix, { slug, headers, claude: ways(true), others: ways(false) })
  }
  const endpoints = declared()
  const served = new Set(endpoints)

  function declared(): readonly ModelEndpoint[] {
    if (operatorSlugs.length > 0) return [...waysTo(base, providersOf(operatorSlugs, true)).keys()]
    if (hosted || options.config !== undefined || options.allowClientKeys || known.size === 0) return MODEL_ENDPOINTS
    return MODEL_ENDPOINTS.filter((endpoint) => [...known.values()].some(({ claude }) => claude.has(endpoint)))
  }

  function named(slugs: readonly string[], claude: boolean, endpoint: ModelEndpoint): Way | undefined {
    // Its adapter ends Portkey's process where the private key cannot be read: nobody may name it who brings none.
    if (!hosted && slugs.includes('oracle')) return undefined
    return wayTo(base, providersOf(slugs, claude), endpoint)
  }

  return {
    known,
    endpoints,

    of({ model, headers: given }) {
      const slash = model.indexOf('/')
      const prefix = slash > 0 ? model.slice(0, slash) : ''
      const own = model.slice(slash + 1)
      const found = known.get(prefix)
      if (found !== undefined) {
        const { slug, headers } = found
        return { slug, model: own, headers, ways: isClaude(own) ? found.claude : found.others }
      }
      const free =
        given?.['x-portkey-config'] !== undefined ||
        given?.['x-portkey-virtual-key'] !== undefined ||
        options.config !== undefined
      if (free) return { slug: '', model, headers: common, ways: undefined }
      const picked = given?.['x-portkey-provider'] === prefix && options.allowClientKeys && given?.authorization !== undefined
      if ((hosted || picked) && slash > 0) {
        if (prefix.startsWith('@')) return { slug: prefix, model, headers: common, ways: undefined }
        return { slug: prefix, model: own, headers: { ...common, 'x-portkey-provider': prefix }, ways: undefined }
      }
      const on = [...known.keys()].join(', ') || 'none'
      const what = `${instance}: no provider ${JSON.stringify(prefix || model)} is configured (on: ${on})`
      throw new SwitchyardError('NOT_FOUND', what, {
        plugin: instance,
        details: { code: 'model_not_found', param: 'model' },
      })
    },

    slugsOf(route, fromClient) {
      if (fromClient.length > 0) return fromClient
      return operatorSlugs.length > 0 ? operatorSlugs : [route.slug]
    },

    wayOf(route, endpoint, slugs) {
      const byRoute = route.ways !== undefined && slugs.length === 1 && slugs[0] === route.slug
      const way = byRoute ? route.ways?.get(endpoint) : named(slugs, isClaude(route.model), endpoint)
      if (way !== undefined && served.has(endpoint)) return way
      const what = served.has(endpoint)
        ? `Portkey has no adapter for ${endpoint} of ${slugs.join(', ') || 'this target'}`
        : `${endpoint} is not served through Portkey here; ${endpoints.join(', ')} are`
      throw new SwitchyardError('UNSUPPORTED', `${instance}: ${what}`, { plugin: instance })
    },
  }
}

function providersOf(slugs: readonly string[], claude: boolean): readonly Provider[] {
  return slugs.map((slug) => ({ slug, claude, ownHost: false }))
}
