import type { ModelRequest, Usage } from '@switchyard/contract'
import { isObject } from '../dialect/lenient.ts'
import { count, type RawUsage, record } from './counts.ts'

type Units = NonNullable<Usage['units']>

/**
 * What a usage counts in units: seconds of sound (OpenAI's `duration`, Mistral's `prompt_audio_seconds`) and searches on the web
 * (Anthropic's, xAI's, Perplexity's). Undefined where there are none.
 */
export function usageUnits(fields: RawUsage): Units | undefined {
  const second = amount(fields.type === 'duration' || fields.type === undefined ? fields.seconds : undefined)
  const heard = amount(fields.prompt_audio_seconds)
  const searches =
    count(record(fields.server_tool_use).web_search_requests) ??
    count(record(fields.server_side_tool_usage_details).web_search_calls) ??
    count(fields.num_search_queries)
  return counted({ second: second ?? heard, webSearch: searches })
}

/**
 * What a whole reply shows in units where its usage does not count them: searches that a response ran, pictures where no tokens were
 * counted, units that a reranker bills, the length of a transcript's sound. `tokens` says whether tokens were counted.
 */
export function replyUnits(reply: RawUsage, request: ModelRequest, tokens: boolean): Units | undefined {
  switch (request.endpoint) {
    case 'responses':
      return searchCalls(reply.output)
    case 'images/generations':
      return tokens ? undefined : pictures(reply, request.body)
    case 'rerank':
      return counted({ search: count(record(record(reply.meta).billed_units).search_units) })
    case 'audio/transcriptions':
      return tokens ? undefined : counted({ second: amount(reply.duration) })
    default:
      return undefined
  }
}

/** What a request asks for in units where the reply can tell nothing: characters to be spoken. */
export function askedUnits({ endpoint, body }: ModelRequest): Units | undefined {
  return endpoint === 'audio/speech' && typeof body.input === 'string'
    ? counted({ character: characters(body.input) })
    : undefined
}

/** Both, the second's count where both have one; undefined where there is none. */
export function joinUnits(first: Units | undefined, second: Units | undefined): Units | undefined {
  return first === undefined ? second : second === undefined ? first : { ...first, ...second }
}

/** A search costs; opening a page that it found, or looking for a word in it, does not. */
function searchCalls(output: unknown): Units | undefined {
  if (!Array.isArray(output)) return undefined
  let webSearch = 0
  let fileSearch = 0
  for (const item of output as unknown[]) {
    if (!isObject(item)) continue
    const { type } = record(item.action)
    if (item.type === 'web_search_call' && (type === undefined || type === 'search')) webSearch += 1
    if (item.type === 'file_search_call') fileSearch += 1
  }
  return counted({ webSearch, fileSearch })
}

function pictures(reply: RawUsage, body: RawUsage): Units | undefined {
  if (!Array.isArray(reply.data) || reply.data.length === 0) return undefined
  const quality = chosen(reply.quality) ?? chosen(body.quality) ?? 'default'
  const size = chosen(reply.size) ?? chosen(body.size) ?? 'default'
  return { [`image:${quality}/${size}`]: reply.data.length }
}

function chosen(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== 'auto' ? value : undefined
}

/** A character outside of the basic plane is one, though it takes two of JavaScript's. */
function characters(text: string): number {
  let total = 0
  for (const _ of text) total += 1
  return total
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}

function counted(units: Readonly<Record<string, number | undefined>>): Units | undefined {
  let found: Record<string, number> | undefined
  for (const name in units) {
    const value = units[name]
    if (value === undefined || value === 0) continue
    found ??= {}
    found[name] = value
  }
  return found
}
