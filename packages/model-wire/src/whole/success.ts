import { type ModelEndpoint, SwitchyardError } from '@switchyard/contract'
import { isObject } from '../dialect/lenient.ts'
import { inBandError, throwErrorReason } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { responseReason } from '../stream/responses-events.ts'

type Json = Readonly<Record<string, unknown>>

/** Lists of which a success holds one, by endpoint. Sound and its transcripts have no such mark. */
const PROOF: Readonly<Partial<Record<ModelEndpoint, readonly string[]>>> = {
  'chat/completions': ['choices'],
  completions: ['choices'],
  responses: ['output'],
  messages: ['content'],
  embeddings: ['data'],
  rerank: ['results', 'data'],
  moderations: ['results'],
  'images/generations': ['data'],
}

/** Whether a parsed body holds what a success of the endpoint holds; false where no such mark is known. */
export function provesSuccess(endpoint: ModelEndpoint, body: Json): boolean {
  return PROOF[endpoint]?.some((name) => Array.isArray(body[name])) === true
}

/**
 * The object of a body that proves itself a success, undefined for one that need not be JSON and is not. Throws for an error object, a
 * page for people, JSON that does not parse or lacks what its endpoint promises.
 */
export function successOf(body: Uint8Array, contentType: string, options: RelayOptions): Json | undefined {
  const { plugin, request, secrets } = options
  const proof = PROOF[request.endpoint]
  if (proof === undefined) {
    if (contentType.startsWith('text/html')) throw invalid(plugin, 'the upstream answered 200 with text or HTML')
    if (body.byteLength === 0) throw invalid(plugin, 'the upstream answered 200 with nothing')
    if (!contentType.includes('json')) return undefined
  }
  const reply = parsed(body, plugin)
  if (reply.error !== undefined && reply.error !== null) throw inBandError(reply.error, plugin, secrets)
  if (reply['html-message'] !== undefined) throw invalid(plugin, 'the upstream answered 200 with text or HTML')
  if (reply.status === 'failed' && request.endpoint === 'responses')
    throw inBandError({ message: 'the response failed' }, plugin, secrets)
  if (proof !== undefined && !provesSuccess(request.endpoint, reply))
    throw invalid(plugin, `the upstream answered 200 without "${proof.join('" or "')}"`)
  return reply
}

/** Why the answer ended, in the dialect's own words. Throws for a word that is an error's. */
export function finishReasonOf(reply: Json, options: RelayOptions): string | undefined {
  const { endpoint } = options.request
  if (endpoint === 'responses') return responseReason(reply)
  if (endpoint === 'messages') return reasonOf(reply.stop_reason, options)
  const choices: unknown[] = Array.isArray(reply.choices) ? reply.choices : []
  let first: string | undefined
  for (const [index, choice] of choices.entries()) {
    if (!isObject(choice)) continue
    const reason = reasonOf(choice.finish_reason, options)
    if (index === 0) first = reason === 'stop' && hasCalls(choice.message) ? 'tool_calls' : reason
  }
  return first
}

function reasonOf(reason: unknown, { plugin, secrets }: RelayOptions): string | undefined {
  if (typeof reason !== 'string') return undefined
  throwErrorReason(reason, plugin, secrets)
  return reason
}

function hasCalls(message: unknown): boolean {
  return isObject(message) && Array.isArray(message.tool_calls) && message.tool_calls.length > 0
}

function parsed(body: Uint8Array, plugin: string): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
    return isObject(value) ? value : {}
  } catch {
    throw invalid(plugin, 'the upstream answered 200 with something that is not JSON')
  }
}

function invalid(plugin: string, what: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `${plugin}: ${what}`, { plugin })
}
