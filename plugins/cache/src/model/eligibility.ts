import type { ModelEndpoint, ModelRequest } from '@switchyard/contract'
import type { BypassReason } from '../kind.ts'
import { contentIn, type Found } from './content.ts'
import type { RouteSettings } from './options.ts'

type Json = Readonly<Record<string, unknown>>
type Request = Pick<ModelRequest, 'endpoint' | 'body'>

/** Why a request is left alone, or whether it may be answered by equal requests only. */
export type Eligibility = { readonly reason: BypassReason } | { readonly exactOnly: boolean }

/**
 * Endpoints that generate. Embeddings and rankings are functions of what is asked and are looked up too. Pictures and speech are asked for
 * anew on purpose, transcripts are too large, and a moderation is a verdict that has to be of today.
 */
const GENERATES: ReadonlySet<ModelEndpoint> = new Set(['chat/completions', 'completions', 'responses', 'messages'])
const COMPUTES: ReadonlySet<ModelEndpoint> = new Set(['embeddings', 'rerank'])

/** Fields by which the provider keeps or fetches something that the request does not hold. */
const STATE = [
  'previous_response_id',
  'conversation',
  'prompt_id',
  'thread',
  'thread_id',
  'container',
  'web_search_options',
  'search_parameters',
  'data_sources',
  'tool_resources',
  'plugins',
  'mcp_servers',
  'file_ids',
] as const
/** Types of tools that the caller runs, so that their results come with a later request. */
const CALLERS_TOOLS: ReadonlySet<unknown> = new Set([undefined, 'function', 'custom'])

/** Looks at a request and says why it may not be cached. Never throws, whatever its body holds. */
export function eligibilityOf({ endpoint, body }: Request, settings: RouteSettings): Eligibility {
  if (settings.off) return { reason: 'off' }
  if (COMPUTES.has(endpoint)) return computes(endpoint, body)
  if (!GENERATES.has(endpoint)) return { reason: 'operation' }
  if (!isOne(body.n) || (Array.isArray(body.prompt) && body.prompt.some((one) => typeof one !== 'number')))
    return { reason: 'many-answers' }
  if (keepsState(endpoint, body, settings)) return { reason: 'server-state' }
  const tools = toolsIn(body)
  if (tools === 'hosted') return { reason: settings.tools ? 'server-state' : 'tools' }
  const found = contentIn(endpoint, body)
  const reason = reasonOf(found, tools !== undefined, settings)
  if (reason !== undefined) return { reason }
  if (!isAllowed(body, settings)) return { reason: 'sampling' }
  return { exactOnly: tools !== undefined || found.tools || found.images }
}

function reasonOf(found: Found, offersTools: boolean, settings: RouteSettings): BypassReason | undefined {
  if (found.state) return 'server-state'
  if (found.other) return 'content'
  if ((offersTools || found.tools) && !settings.tools) return 'tools'
  return found.images && !settings.images ? 'content' : undefined
}

function computes(endpoint: ModelEndpoint, body: Json): Eligibility {
  // Their replies have no such form.
  if (body.stream === true) return { reason: 'operation' }
  if (endpoint === 'rerank') return { exactOnly: true }
  const { input } = body
  const isPlain = (one: unknown): boolean =>
    typeof one === 'string' ||
    typeof one === 'number' ||
    (Array.isArray(one) && one.every((token) => typeof token === 'number'))
  const plain = typeof input === 'string' || (Array.isArray(input) && input.every(isPlain))
  return plain ? { exactOnly: true } : { reason: 'content' }
}

function isOne(n: unknown): boolean {
  return n === undefined || n === null || n === 1
}

function keepsState(endpoint: ModelEndpoint, body: Json, { serverState }: RouteSettings): boolean {
  if (body.background === true) return true
  for (const name of STATE) if (isSomething(body[name])) return true
  if (endpoint !== 'responses') return body.store === true
  // A stored prompt may be another tomorrow. What is stored may be gone on from, unless the caller says that it is not.
  return isSomething(body.prompt) || (body.store !== false && !serverState)
}

function toolsIn(body: Json): 'own' | 'hosted' | undefined {
  const { tools, functions } = body
  if (!isSomething(tools) && !isSomething(functions)) return undefined
  if (tools === undefined || tools === null) return 'own'
  if (!Array.isArray(tools)) return 'hosted'
  const isOwn = (tool: unknown): boolean => typeof tool === 'object' && tool !== null && CALLERS_TOOLS.has((tool as Json).type)
  return tools.every(isOwn) ? 'own' : 'hosted'
}

function isAllowed({ temperature, seed }: Json, { sampling }: RouteSettings): boolean {
  if (sampling === 'any' || temperature === 0) return true
  // Who gives a seed asks for the same answer as before.
  if (typeof seed === 'number') return true
  return sampling === 'zero-or-unset' && (temperature === undefined || temperature === null)
}

function isSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  return typeof value !== 'object' || (Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0)
}
