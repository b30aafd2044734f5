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
import {
  type ErrorOf,
  hasStreams,
  readModelList,
  relayReply,
  requestPayload,
  translation,
  type UsageRoute,
  usageChanges,
} from '@switchyard/model-wire'
import { droppedFromChat, limitField, terminatorOf, usageRoute } from './adapters.ts'
import { clientHeaders, type FromClient, SELECTORS } from './client-headers.ts'
import { errorFor } from './errors.ts'
import { checkGateway } from './gateway-check.ts'
import { droppedBy } from './kept-parameters.ts'
import type { PortkeyOptions } from './options.ts'
import { type CreateHeaders, secretsOf } from './provider-headers.ts'
import { portkeyRoutes, type Route } from './routes.ts'
import { noteReply } from './trace-notes.ts'
import type { Way } from './ways.ts'

export interface PortkeyParts {
  readonly options: PortkeyOptions
  readonly instance: string
  readonly egress: Egress
  readonly clock: Clock
  readonly createHeaders: CreateHeaders
}

/** A request on its way. */
interface Going {
  readonly way: Way
  readonly route: Route
  /** Providers that may get it. */
  readonly slugs: readonly string[]
  readonly fromClient: FromClient
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
  const routes = portkeyRoutes({ options, instance, base, createHeaders })
  const secrets = secretsOf(options)
  const context = { instance, clock, secrets }
  const errors = [false, true].map((ownConfig) => ({
    whole: errorFor(context, { stream: false, ownConfig }),
    stream: errorFor(context, { stream: true, ownConfig }),
  })) as [ErrorsOf, ErrorsOf]

  function refuse(slugs: readonly string[], request: ModelRequest): void {
    if (request.stream && !hasStreams(request.endpoint)) throw unsupported(instance, `${request.endpoint} has no streams`)
    if (options.allowDroppedParameters) return
    for (const slug of slugs) {
      const { endpoint, body } = request
      const lost = endpoint === 'chat/completions' ? droppedFromChat(slug, body) : droppedBy(slug, endpoint, body)
      if (lost !== undefined) {
        const mend = 'reach it by provider-openai, or set allowDroppedParameters'
        throw unsupported(instance, `Portkey drops "${lost}" for ${slug}; ${mend}`, lost)
      }
    }
  }

  async function send(
    { way, route, slugs, fromClient }: Going,
    request: ModelRequest,
    call: InvokeOptions,
  ): Promise<ModelReply> {
    const { signal, deadline, trace } = call
    refuse(slugs, request)
    const usage = options.includeUsage ? usageChanges(request) : undefined
    const { bytes, contentType } = requestPayload(request, { model: route.model, ...usage })
    const form = contentType === undefined ? undefined : { 'content-type': contentType }
    const reply = await egress.request(way.url, {
      method: 'POST',
      headers: { ...route.headers, ...fromClient.headers, ...form },
      body: bytes,
      deadline,
      ...(signal && { signal }),
    })
    if (trace !== undefined) noteReply(trace, instance, reply)
    const relay = {
      plugin: instance,
      request,
      secrets,
      dialect: dialectOf(way, slugs, route),
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
  }

  async function sendTranslated(going: Going, request: ModelRequest, call: InvokeOptions): Promise<ModelReply> {
    const { way, slugs, route } = going
    const leftOut: string[] = []
    const { request: made, reply } = translation(request, way.to, {
      created: Math.floor(clock.now() / 1_000),
      usage: dialectOf(way, slugs, route),
      maxTokensField: limitField(slugs),
      note: (param) => leftOut.push(param),
    })
    call.trace?.decide(instance, `translated ${request.endpoint} to ${way.to}`, leftOut.length === 0 ? undefined : { leftOut })
    if (options.includeUsage) return reply(await send(going, made, call))
    const { stream_options: _, ...body } = made.body
    return reply(await send(going, { ...made, body }, call))
  }

  return {
    capabilities: {
      endpoints: routes.endpoints,
      streaming: true,
      models:
        options.apiKey !== undefined || options.config !== undefined
          ? 'any'
          : [...routes.known.keys()].map((prefix) => `${prefix}/*`),
      listing: true,
      cancels: false,
      selectors: SELECTORS,
      forwards: options.forwardHeaders,
      // Self-hosted, Portkey hands a provider's list of models on; hosted, it answers that itself, which says nothing of the provider.
      freeProbe: options.apiKey === undefined && options.config === undefined && routes.known.size > 0,
    },

    async invoke(request: ModelRequest, call: InvokeOptions): Promise<ModelReply> {
      const route = routes.of(request)
      const fromClient = clientHeaders(request.headers, options, instance)
      const slugs = routes.slugsOf(route, fromClient.slugs)
      const way = routes.wayOf(route, request.endpoint, slugs)
      const going = { way, route, slugs, fromClient }
      return way.to === request.endpoint ? send(going, request, call) : sendTranslated(going, request, call)
    },

    async models({ signal } = {}): Promise<readonly ModelCard[]> {
      const lists = await Promise.allSettled([...routes.known].map(([prefix, { headers }]) => listOf(prefix, headers, signal)))
      const given = lists.flatMap((list) => (list.status === 'fulfilled' ? [list.value] : []))
      const failed = lists.find((list) => list.status === 'rejected')
      if (failed !== undefined && given.length === 0) throw failed.reason
      return given.flat()
    },

    async probe(target, { signal } = {}): Promise<void> {
      const prefix = target.model?.split('/')[0]
      const [first] = prefix === undefined ? routes.known.keys() : [prefix]
      const route = first === undefined ? undefined : routes.known.get(first)
      if (route !== undefined) await listOf(first as string, route.headers, signal)
      else if (prefix === undefined) await checkGateway(egress, base, instance, signal)
      // That Portkey answers proves nothing of a provider that only it or the client knows.
      else throw unsupported(instance, `nothing is known of ${JSON.stringify(prefix)} to probe it by; name it in \`providers\``)
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

/** By which rule usage becomes totals; a message's is Anthropic's, whoever hosts the model. */
function dialectOf(way: Way, slugs: readonly string[], route: Route): UsageRoute | undefined {
  return way.to === 'messages' ? undefined : usageRoute(slugs, route.model)
}

function unsupported(instance: string, what: string, param?: string): SwitchyardError {
  const details = param === undefined ? {} : { details: { param } }
  return new SwitchyardError('UNSUPPORTED', `${instance}: ${what}`, { plugin: instance, ...details })
}
