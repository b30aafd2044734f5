import type { ModelEndpoint } from '@switchyard/contract'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'
import { readModelCall } from './model.ts'

/**
 * `POST /v1/explain`: the body of a model request; the reply says which target would serve it and what each policy would decide,
 * without calling upstream. `?endpoint=embeddings` for others than chat.
 */
export async function explain(exchange: Exchange, parts: ServerParts): Promise<void> {
  const query = new URLSearchParams(exchange.request.url?.split('?')[1] ?? '')
  const endpoint = (query.get('endpoint') ?? 'chat/completions') as ModelEndpoint
  const { target, principal, request } = await readModelCall(exchange, parts, endpoint)
  const explanation = await parts.kernel.explain('model.invoke', {
    id: exchange.id,
    target,
    principal,
    request,
    signal: exchange.signal,
    idempotent: true,
  })
  exchange.json(200, { object: 'explanation', model: request.model, endpoint, stream: request.stream, ...explanation })
}
