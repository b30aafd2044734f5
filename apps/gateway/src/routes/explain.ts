import { MODEL_ENDPOINTS, SwitchyardError } from '@switchyard/contract'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'
import { requireTrace } from './call-wishes.ts'
import { readModelCall } from './model.ts'

/**
 * `POST /v1/explain`: the body of a model request; the reply says which target would serve it and what each policy would decide,
 * without calling upstream. `?endpoint=embeddings` for others than chat. It tells what a trace tells, and is for the same roles.
 */
export async function explain(exchange: Exchange, parts: ServerParts): Promise<void> {
  const query = new URLSearchParams(exchange.request.url?.split('?')[1] ?? '')
  const asked = query.get('endpoint') ?? 'chat/completions'
  const endpoint = MODEL_ENDPOINTS.find((name) => name === asked)
  if (endpoint === undefined) {
    throw new SwitchyardError('INVALID_REQUEST', `there is no endpoint ${asked} here: use ${MODEL_ENDPOINTS.join(' or ')}`, {
      details: { param: 'endpoint' },
    })
  }
  const { target, principal, request, attributes, deadline } = await readModelCall(exchange, parts, endpoint)
  requireTrace(principal, 'a dry run')
  const explanation = await parts.kernel.explain('model.invoke', {
    id: exchange.id,
    target,
    principal,
    request,
    attributes,
    deadline,
    signal: exchange.leaving,
    idempotent: true,
  })
  exchange.json(200, { object: 'explanation', model: request.model, endpoint, stream: request.stream, ...explanation })
}
