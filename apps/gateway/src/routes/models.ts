import { allows } from '@switchyard/access'
import type { ModelCard } from '@switchyard/contract'
import type { Live } from '../gateway.ts'
import { mayCall } from '../principal.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'

const KEPT_MS = 60_000
const WITHIN_MS = 5_000

interface Kept {
  readonly at: number
  readonly cards: Promise<readonly ModelCard[]>
}
const kept = new WeakMap<Live['directory'], Kept>()

/**
 * `GET /v1/models`: of what the providers list, what the caller's key may call. The list is kept for a minute; a provider that does not
 * answer within 5 s is left out.
 */
export async function listModels(exchange: Exchange, parts: ServerParts): Promise<void> {
  const { directory, authenticate } = parts.live()
  const { principal } = mayCall(await authenticate(exchange.request.headers, exchange.request.socket.remoteAddress))
  const now = performance.now()
  let entry = kept.get(directory)
  if (entry === undefined || now - entry.at > KEPT_MS) {
    const cards = directory.list(AbortSignal.timeout(WITHIN_MS), (instance, error) => {
      kept.delete(directory)
      parts.log.warn({ instance, err: error }, 'its models could not be listed')
    })
    entry = { at: now, cards }
    kept.set(directory, entry)
  }
  const cards = await entry.cards
  const { scopes } = principal
  const shown = scopes === undefined ? cards : cards.filter(({ id }) => allows(scopes.models, id))
  const data = shown.map(({ id, ownedBy, createdAt }) => ({
    id,
    object: 'model',
    created: createdAt ?? 0,
    owned_by: ownedBy,
  }))
  exchange.json(200, { object: 'list', data })
}
