import type { Clock, ModelCard, ModelProvider, ModelReply, ModelRequest, Trace } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'
import { readModelList, relayReply, requestPayload, translation, usageChanges } from '@switchyard/model-wire'
import { DIALECTS } from './dialect.ts'
import { errorFor } from './errors.ts'
import type { OpenAiOptions } from './options.ts'
import { routeFor, routesTo } from './routes.ts'

interface Parts {
  readonly options: OpenAiOptions
  readonly instance: string
  readonly egress: Egress
  readonly clock: Clock
}

/** As the port has it; a whole call brings its trace along. */
type InvokeOptions = Parameters<ModelProvider['invoke']>[1] & { readonly trace?: Trace }
type Headers = Readonly<Record<string, string>>

/** Port `model` over one upstream of OpenAI's or Anthropic's kind. The owner closes the egress. */
export function openAiProvider({ options, instance, egress, clock }: Parts): ModelProvider {
  const dialect = DIALECTS[options.dialect]
  const base = options.baseUrl.replace(/\/+$/, '')
  const routes = routesTo(base, options.endpoints)
  const credential = options.apiKey === undefined ? {} : dialect.credential(options.apiKey)
  const common: Headers = Object.freeze({ ...dialect.headers, ...options.headers, ...credential })
  const json: Headers = Object.freeze({ ...common, 'content-type': 'application/json' })
  const prefix = `${options.provider}/`
  // A header may be a credential too, as Azure's api-key is.
  const secrets = [...(options.apiKey === undefined ? [] : [options.apiKey.reveal()]), ...Object.values(options.headers)]
  const toError = errorFor(instance, clock, secrets)

  const models = options.models ?? [`${prefix}*`]
  const exact = new Set(models)
  const patterns = models.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -1))

  function upstreamName(model: string): string {
    if (!exact.has(model) && !patterns.some((start) => model.startsWith(start))) {
      throw new SwitchyardError(
        'NOT_FOUND',
        `${instance} does not serve ${JSON.stringify(model)}; it serves ${models.join(', ')}`,
        {
          plugin: instance,
          details: { code: 'model_not_found', param: 'model' },
        },
      )
    }
    return options.modelNames[model] ?? (model.startsWith(prefix) ? model.slice(prefix.length) : model)
  }

  function headersFor({ headers: given }: ModelRequest, contentType: string | undefined): Headers {
    const own = contentType === undefined ? json : { ...common, 'content-type': contentType }
    if (given === undefined || options.forwardHeaders.length === 0) return own
    const forwarded: Record<string, string> = {}
    for (const name of options.forwardHeaders) if (given[name] !== undefined) forwarded[name] = given[name]
    return { ...forwarded, ...own }
  }

  async function send(url: string, request: ModelRequest, model: string, call: InvokeOptions): Promise<ModelReply> {
    const { signal, deadline } = call
    const usage = options.includeUsage ? usageChanges(request) : undefined
    const { bytes, contentType } = requestPayload(request, { model, ...usage })
    const headers = headersFor(request, contentType)
    return relayReply(
      await egress.request(url, { method: 'POST', headers, body: bytes, deadline, ...(signal && { signal }) }),
      { plugin: instance, request, terminator: options.terminator, hideUsage: usage !== undefined, signal, secrets },
      toError,
    )
  }

  function translated(request: ModelRequest, to: ModelRequest['endpoint'], trace: Trace | undefined) {
    const leftOut: string[] = []
    const { request: made, reply } = translation(request, to, {
      created: Math.floor(clock.now() / 1_000),
      maxTokens: options.maxTokens,
      maxTokensField: options.maxTokensField,
      note: (param) => leftOut.push(param),
    })
    trace?.decide(instance, `translated ${request.endpoint} to ${to}`, leftOut.length === 0 ? undefined : { leftOut })
    if (options.includeUsage) return { made, reply }
    const { stream_options: _, ...body } = made.body
    return { made: { ...made, body }, reply }
  }

  async function get(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const reply = await egress.request(`${base}${path}`, { headers: common, ...(signal && { signal }) })
    const body = await reply.body.bytes()
    if (reply.status !== 200) throw toError({ ...reply, body })
    return body
  }

  return {
    capabilities: {
      endpoints: [...routes.keys()],
      streaming: true,
      models,
      listing: true,
      cancels: true,
      forwards: options.forwardHeaders,
      // A list of models, which nobody bills.
      freeProbe: true,
    },

    async invoke(request: ModelRequest, call: InvokeOptions): Promise<ModelReply> {
      const route = routeFor(routes, request, instance)
      const model = upstreamName(request.model)
      if (route.to === request.endpoint) return send(route.url, request, model, call)
      const { made, reply } = translated(request, route.to, call.trace)
      return reply(await send(route.url, made, model, call))
    },

    async models({ signal } = {}): Promise<readonly ModelCard[]> {
      return readModelList(await get(dialect.models, signal), prefix, instance)
    },

    async probe(_target, { signal } = {}): Promise<void> {
      await get(dialect.models, signal)
    },
  }
}
