import {
  type Clock,
  type ModelCard,
  type ModelProvider,
  type ModelReply,
  type ModelRequest,
  SwitchyardError,
  type Trace,
} from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'
import { type ErrorOf, readModelList, relayReply, requestBytes, usageChanges } from '@switchyard/model-wire'
import { dropped, ENDPOINTS, serves, terminatorOf, usageRoute } from './adapters.ts'
import { slugsOf } from './client-config.ts'
import { clientHeaders, SELECTORS } from './client-headers.ts'
import { errorFor } from './errors.ts'
import { checkGateway } from './gateway-check.ts'
import type { PortkeyOptions } from './options.ts'
import { type CreateHeaders, commonHeaders, providerHeaders, secretsOf } from './provider-headers.ts'
import { noteReply } from './trace-notes.ts'

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

interface ErrorsOf {
  readonly whole: ErrorOf
  readonly stream: ErrorOf
}

/** As the port has it; a whole call brings its trace along. */
type InvokeOptions = Parameters<ModelProvider['invoke']>[1] & { readonly trace?: Trace }

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
  const operatorSlugs = slugsOf(options.config)
  const secrets = secretsOf(options)
  const context = { instance, clock, secrets }
  const errors = [false, true].map((ownConfig) => ({
    whole: errorFor(context, { stream: false, ownConfig }),
    stream: errorFor(context, { stream: true, ownConfig }),
  })) as [ErrorsOf, ErrorsOf]

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

  function refuse(slugs: readonly string[], request: ModelRequest): void {
    for (const slug of slugs) {
      if (!serves(slug, request.endpoint))
        throw unsupported(instance, `Portkey has no adapter for ${request.endpoint} of ${slug || 'this target'}`)
      const lost = options.allowDroppedParameters ? undefined : dropped(slug, request.body)
      if (lost !== undefined) {
        const mend = 'reach it by provider-openai, or set allowDroppedParameters'
        throw unsupported(instance, `Portkey drops "${lost}" for ${slug}; ${mend}`)
      }
    }
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

    async invoke(request: ModelRequest, { signal, deadline, trace }: InvokeOptions): Promise<ModelReply> {
      const url = urls.get(request.endpoint)
      if (url === undefined)
        throw unsupported(instance, `${request.endpoint} is not served through Portkey here; ${ENDPOINTS.join(' and ')} are`)
      const route = routeOf(request)
      const fromClient = clientHeaders(request.headers, options, instance)
      // As Portkey decides: what a config names wins over the header.
      const slugs = [fromClient.slugs, operatorSlugs, [route.slug]].find((named) => named.length > 0) as readonly string[]
      refuse(slugs, request)
      const usage = options.includeUsage ? usageChanges(request) : undefined
      const reply = await egress.request(url, {
        method: 'POST',
        headers: { ...route.headers, ...fromClient.headers },
        body: requestBytes(request, { model: route.model, ...usage }),
        deadline,
        ...(signal && { signal }),
      })
      if (trace !== undefined) noteReply(trace, instance, reply)
      const relay = {
        plugin: instance,
        request,
        secrets,
        dialect: usageRoute(slugs, route.model),
        terminator: terminatorOf(slugs),
        hideUsage: usage !== undefined,
        signal,
      }
      const toError = errors[fromClient.headers['x-portkey-config'] === undefined ? 0 : 1]
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
    if (reply.status !== 200) throw errors[0].whole({ ...reply, body })
    return readModelList(body, `${prefix}/`, instance)
  }
}

function unsupported(instance: string, what: string): SwitchyardError {
  return new SwitchyardError('UNSUPPORTED', `${instance}: ${what}`, { plugin: instance })
}
