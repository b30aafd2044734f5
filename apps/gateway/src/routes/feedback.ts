import { SwitchyardError } from '@switchyard/contract'
import { feedback } from '@switchyard/routing'
import { jsonBody } from '../admin/json-body.ts'
import { mayCall } from '../principal.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'

const KNOWN: ReadonlySet<string> = new Set(['request_id', 'score', 'correct', 'comment'])

/**
 * `POST /v1/feedback`: `{ request_id, score }` with a score from 0 to 1, or `correct: true | false`, and a `comment` where one is wanted:
 * what a caller says of an answer that its own tenant got. `request_id` is the `x-request-id` of that answer.
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
  const [store] = parts.kernel.all(feedback).values()
  if (store === undefined)
    throw new SwitchyardError('UNSUPPORTED', 'feedback is not taken here: the assembly has no plugin with the port feedback@1')
  const { tenant, keyId } = principal
  await store.submit({ tenant, keyId, requestId, score, comment })
  exchange.json(200, { object: 'feedback', request_id: requestId, score })
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
