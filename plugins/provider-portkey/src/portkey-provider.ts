import {
  type Clock,
  type ModelCard,
  type ModelProvider,
  type ModelReply,
  type ModelRequest,
  SwitchyardError,
} from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'
import { readModelList, relayReply, requestBytes, usageChanges } from '@switchyard/model-wire'
import { dropped, ENDPOINTS, serves, terminatorOf, usageRoute } from './adapters.ts'
import { clientHeaders, SELECTORS } from './client-headers.ts'
import { errorFor } from './errors.ts'
import { checkGateway } from './gateway-check.ts'
import type { PortkeyOptions } from './options.ts'
import { type CreateHeaders, commonHeaders, providerHeaders } from './provider-headers.ts'

export interface PortkeyParts {
  readonly options: PortkeyOptions
  readonly instance: string
  readonly egress: Egress
  readonly clock: Clock
  readonly createHeaders: CreateHeaders
}

interface Route {
  /** Portkey's slug; empty where a config or a virtual key decides. */
  readonly slug: string
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

/** Port `model` over Portkey, hosted or self-hosted. The owner closes the egress. */
export function portkeyProvider(parts: PortkeyParts): ModelProvider {
  const { options, instance, egress, clock, createHeaders } = parts
  const base = options.baseUrl.replace(/\/+$/, '')
  const urls = new Map(ENDPOINTS.map((endpoint) => [endpoint, `${base}/${endpoint}`]))
  const common = commonHeaders(options, createHeaders)
  const routes = new Map(
    Object.entries(options.providers).map(([prefix, provider]) => {
      const headers = Object.freeze({ ...common, ...providerHeaders(prefix, provider, createHeaders) })
      return [prefix, { slug: provider.slug ?? prefix, headers }] as const
    }),
  )
  const hosted = options.apiKey !== undefined
  const toError = { whole: errorFor(instance, clock, false), stream: errorFor(instance, clock, true) }

  function routeOf({ model, headers: given }: ModelRequest): Route {
    const slash = model.indexOf('/')
    const prefix = slash > 0 ? model.slice(0, slash) : ''
    const known = routes.get(prefix)
    if (known !== undefined) return { ...known, model: model.slice(slash + 1) }
    const own =
      given?.['x-portkey-config'] !== undefined ||
      given?.['x-portkey-virtual-key'] !== undefined ||
      options.config !== undefined
    if (own) return { slug: '', model, headers: common }
    const picked = given?.['x-portkey-provider'] === prefix && options.allowClientKeys && given?.authorization !== undefined
    if ((hosted || picked) && slash > 0) {
      if (prefix.startsWith('@')) return { slug: prefix, model, headers: common }
      return { slug: prefix, model: model.slice(slash + 1), headers: { ...common, 'x-portkey-provider': prefix } }
    }
    const on = [...routes.keys()].join(', ') || 'none'
    throw new SwitchyardError(
      'NOT_FOUND',
      `${instance}: no provider ${JSON.stringify(prefix || model)} is configured (on: ${on})`,
      {
        plugin: instance,
        details: { code: 'model_not_found', param: 'model' },
      },
    )
  }

  function refuse({ slug }: Route, request: ModelRequest): void {
    if (!serves(slug, request.endpoint))
      throw unsupported(instance, `Portkey has no adapter for ${request.endpoint} of ${slug || 'this target'}`)
    const lost = options.allowDroppedParameters ? undefined : dropped(slug, request.body)
    if (lost !== undefined)
      throw unsupported(
        instance,
        `Portkey drops "${lost}" for ${slug}; reach it by provider-openai, or set allowDroppedParameters`,
      )
  }

  return {
    capabilities: {
      endpoints: ENDPOINTS,
      streaming: true,
      models: hosted || options.config !== undefined ? 'any' : [...routes.keys()].map((prefix) => `${prefix}/*`),
      listing: true,
      cancels: false,
      selectors: SELECTORS,
    },

    async invoke(request: ModelRequest, { signal, deadline }): Promise<ModelReply> {
      const url = urls.get(request.endpoint)
      if (url === undefined)
        throw unsupported(instance, `${request.endpoint} is not served through Portkey here; ${ENDPOINTS.join(' and ')} are`)
      const route = routeOf(request)
      refuse(route, request)
      const fromClient = clientHeaders(request.headers, options, instance)
      const usage = options.includeUsage ? usageChanges(request) : undefined
      const reply = await egress.request(url, {
        method: 'POST',
        headers: { ...route.headers, ...fromClient },
        body: requestBytes(request, { model: route.model, ...usage }),
        deadline,
        ...(signal && { signal }),
      })
      const relay = {
        plugin: instance,
        request,
        dialect: usageRoute(route.slug, route.model),
        terminator: terminatorOf(route.slug),
        hideUsage: usage !== undefined,
        signal,
      }
      return relayReply(
        reply.status === 246 ? { ...reply, status: 200 } : reply,
        relay,
        request.stream ? toError.stream : toError.whole,
      )
    },

    async models({ signal } = {}): Promise<readonly ModelCard[]> {
      const lists = await Promise.allSettled([...routes].map(([prefix, { headers }]) => listOf(prefix, headers, signal)))
      const given = lists.flatMap((list) => (list.status === 'fulfilled' ? [list.value] : []))
      const failed = lists.find((list) => list.status === 'rejected')
      if (failed !== undefined && given.length === 0) throw failed.reason
      return given.flat()
    },

    async probe(target, { signal } = {}): Promise<void> {
      const prefix = target.model?.split('/')[0]
      const [first] = prefix === undefined ? routes.keys() : [prefix]
      const route = first === undefined ? undefined : routes.get(first)
      if (route === undefined) await checkGateway(egress, base, instance, signal)
      else await listOf(first as string, route.headers, signal)
    },
  }

  async function listOf(
    prefix: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly ModelCard[]> {
    const reply = await egress.request(`${base}/models`, { headers, ...(signal && { signal }) })
    const body = await reply.body.bytes()
    if (reply.status !== 200) throw toError.whole({ ...reply, body })
    return readModelList(body, `${prefix}/`, instance)
  }
}

function unsupported(instance: string, what: string): SwitchyardError {
  return new SwitchyardError('UNSUPPORTED', `${instance}: ${what}`, { plugin: instance })
}
