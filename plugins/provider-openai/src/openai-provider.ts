import type { Clock, ModelCard, ModelEndpoint, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import type { Egress, EgressRequest } from '@switchyard/egress'
import { readModelList, relayReply, requestBytes, usageChanges } from '@switchyard/model-wire'
import { errorFor } from './errors.ts'
import type { OpenAiOptions } from './options.ts'

const ENDPOINTS: readonly ModelEndpoint[] = ['chat/completions', 'completions', 'embeddings']

interface Parts {
  readonly options: OpenAiOptions
  readonly instance: string
  readonly egress: Egress
  readonly clock: Clock
}

/** Port `model` over an OpenAI-compatible endpoint. The owner closes the egress. */
export function openAiProvider({ options, instance, egress, clock }: Parts): ModelProvider {
  const base = options.baseUrl.replace(/\/+$/, '')
  const urls = new Map(ENDPOINTS.map((endpoint) => [endpoint, `${base}/${endpoint}`]))
  const authorization = options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey.reveal()}` }
  const common: Readonly<Record<string, string>> = Object.freeze({ ...options.headers, ...authorization })
  const headers: Readonly<Record<string, string>> = Object.freeze({ ...common, 'content-type': 'application/json' })
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

  async function get(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const reply = await egress.request(`${base}${path}`, { headers: common, ...(signal && { signal }) })
    const body = await reply.body.bytes()
    if (reply.status !== 200) throw toError({ ...reply, body })
    return body
  }

  return {
    capabilities: {
      endpoints: ENDPOINTS,
      streaming: true,
      models,
      listing: true,
      cancels: true,
    },

    async invoke(request: ModelRequest, { signal, deadline }): Promise<ModelReply> {
      const url = urls.get(request.endpoint)
      if (url === undefined) {
        throw new SwitchyardError(
          'UNSUPPORTED',
          `${instance} does not serve ${request.endpoint}; it serves ${ENDPOINTS.join(', ')}`,
          { plugin: instance },
        )
      }
      const usage = options.includeUsage ? usageChanges(request) : undefined
      const body = requestBytes(request, { model: upstreamName(request.model), ...usage })
      const sent: EgressRequest = { method: 'POST', headers, body, deadline, ...(signal && { signal }) }
      return relayReply(
        await egress.request(url, sent),
        { plugin: instance, request, terminator: options.terminator, hideUsage: usage !== undefined, signal, secrets },
        toError,
      )
    },

    async models({ signal } = {}): Promise<readonly ModelCard[]> {
      return readModelList(await get('/models', signal), prefix, instance)
    },

    async probe(_target, { signal } = {}): Promise<void> {
      await get('/models', signal)
    },
  }
}
