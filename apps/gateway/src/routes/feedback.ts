import { SwitchyardError } from '@switchyard/contract'
import { feedback } from '@switchyard/routing'
import { rejectCached } from '../admin/cache.ts'
import { jsonBody } from '../admin/json-body.ts'
import { mayCall } from '../principal.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'

/** A score below it says that the answer was wrong. */
const WRONG_BELOW = 0.5
const KNOWN: ReadonlySet<string> = new Set(['request_id', 'score', 'correct', 'comment'])

/**
 * `POST /v1/feedback`: `{ request_id, score }` with a score from 0 to 1, or `correct: true | false`, and a `comment` where one is wanted:
 * what a caller says of an answer that its own tenant got. `request_id` is the `x-request-id` of that answer. One from the cache that was
 * more wrong than right is taken out there, and the reply says `cache: "rejected"`.
 */
export async function giveFeedback(exchange: Exchange, parts: ServerParts): Promise<void> {
  const { request, noted } = exchange
  const { principal } = mayCall(await parts.live().authenticate(request.headers, request.socket.remoteAddress))
  noted.tenant = principal.tenant
  noted.key = principal.keyId
  const body = await jsonBody(request)
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name))
  if (unknown !== undefined) throw invalid(unknown, `is unknown: there are ${[...KNOWN].join(', ')}`)
  const { request_id: requestId, comment } = body
  if (typeof requestId !== 'string' || requestId === '') throw invalid('request_id', 'is the x-request-id of an answer')
  if (comment !== undefined && typeof comment !== 'string') throw invalid('comment', 'is a text')
  const score = scoreIn(body)
  const { tenant, keyId } = principal
  const rejected = score < WRONG_BELOW && (await rejectCached(parts, tenant, requestId))
  try {
    const [store] = parts.kernel.all(feedback).values()
    if (store === undefined)
      throw new SwitchyardError(
        'UNSUPPORTED',
        'feedback is not taken here: the assembly has no plugin with the port feedback@1',
      )
    await store.submit({ tenant, keyId, requestId, score, comment })
  } catch (error) {
    // Where nobody keeps feedback, the cache has still heard it.
    if (!rejected || !SwitchyardError.is(error, 'UNSUPPORTED')) throw error
  }
  exchange.json(200, { object: 'feedback', request_id: requestId, score, ...(rejected && { cache: 'rejected' }) })
}

function scoreIn({ score, correct }: Readonly<Record<string, unknown>>): number {
  if ((score === undefined) === (correct === undefined)) throw invalid('score', "or 'correct' is required, and not both")
  if (correct === undefined) {
    if (typeof score === 'number' && score >= 0 && score <= 1) return score
    throw invalid('score', 'is a number from 0 to 1')
  }
  if (typeof correct === 'boolean') return correct ? 1 : 0
  throw invalid('correct', 'is true or false')
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `'${param}' ${what}`, { details: { param } })
}
