import { type Cost, type Entry, price, reservedPico, type Tier } from '@switchyard/catalog'
import type { ModelRequest, Usage } from '@switchyard/contract'
import { estimateRequest, outputAnswers, outputLimit, tokenFamily, tokensOfBytes } from '@switchyard/model-wire'
import type { OutputLengths } from './output-lengths.ts'

/** What an attempt may cost, before it is sent. */
export interface Forecast {
  readonly inputTokens: number
  /** Pico-USD to hold; undefined for a model without a price. */
  readonly hold: bigint | undefined
  /** Pico-USD that it costs as a rule if its end is never seen; undefined for a model without a price. */
  readonly expected: bigint | undefined
}

export interface ForecastOptions {
  readonly hold: 'worst' | 'p90'
  readonly defaultMaxOutputTokens: number
  readonly defaultOutputTokens: number
}

interface Estimate {
  readonly inputTokens: number
  readonly reservation: number
  readonly maxOutputTokens?: number | undefined
}

/**
 * A small request without parts or tools is bounded by its bytes, which is some tokens too many and saves reading it: no text is denser than
 * base64 or rare Chinese.
 */
const SMALL_BYTES = 1_024
const DENSEST_BYTES_PER_TOKEN = 1.4
const TYPED = '"type"'
/** Members by which a request brings in what is stored at the vendor, as much as the model can read. */
const STORED = ['previous_response_id', 'conversation', 'prompt_id', 'cached_content', 'mcp_servers'] as const
/** Kinds of tools that the client runs. Any other is run by the vendor, and what it finds is read by the model, and billed. */
const CLIENT_TOOL = /^(?:function|custom|computer|local_shell|shell|apply_patch|bash|text_editor|memory)/
/** Searches that a request is held for where it sets no limit (`max_uses`) of its own. */
const USUAL_SEARCHES = 10
const NO_OUTPUT: ReadonlySet<string> = new Set(['embeddings', 'moderations', 'rerank'])
const CACHED = 'cache_control'
const CACHED_1H = '"1h"'
const AUDIO_IN = 'input_audio'

/** Copies of a call carry one body; it is read once for all its attempts. */
const ESTIMATES = new WeakMap<object, Estimate>()

/** Estimates a request's tokens, once for all attempts with the same body. */
function estimateOf(request: ModelRequest): Estimate {
  const { body, endpoint, raw, model } = request
  if (raw !== undefined && raw.byteLength <= SMALL_BYTES && !mentions(request, TYPED)) {
    const maxOutputTokens = outputLimit(body, endpoint)
    const reservation = Math.ceil(raw.byteLength / DENSEST_BYTES_PER_TOKEN)
    return { inputTokens: tokensOfBytes(raw.byteLength), reservation, maxOutputTokens }
  }
  const known = ESTIMATES.get(body)
  if (known !== undefined) return known
  const made = estimateRequest(body, endpoint, { family: tokenFamily(model), bytes: raw?.byteLength })
  ESTIMATES.set(body, made)
  return made
}

/**
 * Prices an attempt at the tier and the context step that it will be billed at: its input by the upper bound, as the dearest kind that it
 * may be billed as, and its output by the request's limit, else the model's, else the option's.
 */
export function forecast(
  entry: Entry | undefined,
  request: ModelRequest,
  tier: Tier,
  at: number,
  lengths: OutputLengths,
  options: ForecastOptions,
): Forecast {
  const estimate = estimateOf(request)
  const { inputTokens } = estimate
  if (entry === undefined) return { inputTokens, hold: undefined, expected: undefined }
  const most = mostOutput(entry, request, estimate, options)
  const searches = searchesOf(request)
  const input =
    searches > 0 || bringsStored(request)
      ? (entry.limits.context ?? entry.limits.input ?? estimate.reservation)
      : estimate.reservation
  const usage = worstUsage(entry, request, Math.max(input, estimate.reservation), most, searches)
  const worst = pricedAbove(entry, usage, tier, at)
  if (worst === undefined) return { inputTokens, hold: undefined, expected: undefined }
  const usual = Math.min(most, lengths.underWay() ?? usualAtFirst(estimate, options))
  const expected = scaled(worst, usage, inputTokens, usual)
  const p90 = options.hold === 'p90' ? lengths.p90() : undefined
  const held = p90 === undefined || p90 >= most ? worst.pico : scaled(worst, usage, usage.inputTokens, p90)
  // Prices guessed for a tier are held at their safety factor, whatever part of the worst case is held.
  const hold = held === worst.pico ? reservedPico(worst) : (held * reservedPico(worst)) / worst.pico
  return { inputTokens, hold, expected: smaller(expected, hold) }
}

/** Before answers were seen: all that the request asks for, so that what is killed by then cannot overshoot; else the option's. */
function usualAtFirst({ maxOutputTokens = 0 }: Estimate, { defaultOutputTokens }: ForecastOptions): number {
  return Math.max(defaultOutputTokens, maxOutputTokens)
}

function priced(entry: Entry, usage: Usage, tier: Tier, at: number): Cost | undefined {
  const cost = price(entry, usage, { tier, at })
  return cost === null || cost.unknown.length > 0 ? undefined : cost
}

/** A cheaper tier is granted or not: what is held is the larger price of it and the standard one. */
function pricedAbove(entry: Entry, usage: Usage, tier: Tier, at: number): Cost | undefined {
  if (tier !== 'flex' && tier !== 'batch') return priced(entry, usage, tier, at)
  return priced(entry, usage, 'standard', at) ?? priced(entry, usage, tier, at)
}

function mostOutput(entry: Entry, request: ModelRequest, estimate: Estimate, options: ForecastOptions): number {
  if (NO_OUTPUT.has(request.endpoint)) return 0
  if (estimate.maxOutputTokens !== undefined) return estimate.maxOutputTokens
  return (entry.limits.output ?? options.defaultMaxOutputTokens) * outputAnswers(request.body, request.endpoint)
}

function worstUsage(entry: Entry, request: ModelRequest, input: number, output: number, searches: number): Usage {
  const prices = entry.prices[0]?.perToken ?? {}
  const plain = prices.input ?? 0
  const audioOut = Array.isArray(request.body.modalities) && request.body.modalities.includes('audio')
  const imageOut = !audioOut && (prices.imageOut ?? 0) > (prices.output ?? 0) && mayDraw(request)
  const units = unitsOf(entry, request, searches)
  const base = {
    inputTokens: input,
    outputTokens: output,
    ...(audioOut && { audioOutputTokens: output }),
    ...(imageOut && { imageOutputTokens: output }),
    ...(units !== undefined && { units }),
  }
  if ((prices.audioIn ?? 0) > plain && mentions(request, AUDIO_IN)) return { ...base, audioInputTokens: input }
  if ((prices.cacheWrite5m ?? 0) > plain && mentions(request, CACHED)) {
    return mentions(request, CACHED_1H)
      ? { ...base, cacheWriteTokens: input, cacheWrite1hTokens: input }
      : { ...base, cacheWriteTokens: input }
  }
  return base
}

/** Unless the request asks for text alone, a model that can draw may. */
function mayDraw({ body: { modalities } }: ModelRequest): boolean {
  return !Array.isArray(modalities) || modalities.some((one) => one !== 'text')
}

/**
 * How often a request may have the vendor search or run something for it: 0 without such a tool. What is found is read by the model, so
 * that the input has no other bound than the model's.
 */
function searchesOf({ body }: ModelRequest): number {
  const { tools, web_search_options: options } = body
  let searches = options === undefined || options === null ? 0 : USUAL_SEARCHES
  if (!Array.isArray(tools)) return searches
  for (const tool of tools as readonly unknown[]) {
    const { type, max_uses: uses } = (tool ?? {}) as { readonly type?: unknown; readonly max_uses?: unknown }
    if (typeof type !== 'string' || CLIENT_TOOL.test(type)) continue
    searches += typeof uses === 'number' && Number.isSafeInteger(uses) && uses > 0 ? uses : USUAL_SEARCHES
  }
  return searches
}

/** What is billed by the piece: images at the dearest quality and size there is, speech by its characters, searches by their number. */
function unitsOf(entry: Entry, { endpoint, body }: ModelRequest, searches: number): Usage['units'] {
  const perUnit = entry.prices[0]?.perUnit
  if (perUnit === undefined) return undefined
  if (searches > 0 && perUnit.webSearch !== undefined) return { webSearch: searches }
  if (endpoint === 'audio/speech' && perUnit.character !== undefined && typeof body.input === 'string')
    return { character: body.input.length }
  if (endpoint !== 'images/generations' || perUnit.image === undefined) return undefined
  const [dearest] = Object.entries(perUnit.image).sort(([, a], [, b]) => b - a)
  return dearest === undefined ? undefined : { [`image:${dearest[0]}`]: outputAnswers(body, endpoint) }
}

/** Looks for a word in the bytes of a body; one without bytes, or with letters that stand as escapes, is taken to hold it. */
function mentions({ raw }: ModelRequest, word: string): boolean {
  return raw === undefined || includes(raw, word) || hidesLetters(raw)
}

const ESCAPE = Buffer.from('\\u00')
const HIDDEN = /^(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])$/i

/** Whether a plain letter stands as `\u0061`: no encoder writes so, only who would not be read. */
function hidesLetters(raw: Uint8Array): boolean {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  for (let at = bytes.indexOf(ESCAPE); at !== -1; at = bytes.indexOf(ESCAPE, at + 1)) {
    if (HIDDEN.test(bytes.toString('latin1', at + 4, at + 6))) return true
  }
  return false
}

function includes(bytes: Uint8Array, word: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(word)
}

function bringsStored(request: ModelRequest): boolean {
  const { body, endpoint } = request
  if (STORED.some((name) => body[name] !== undefined && body[name] !== null)) return true
  // Gemini's own members, in its OpenAI dialect: a prefix that it keeps may be among them.
  if (body.extra_body !== undefined && JSON.stringify(body.extra_body).includes('cached_content')) return true
  if (endpoint !== 'responses') return false
  // A prompt of the vendor's own store, by its id; for other endpoints it is text.
  if (typeof body.prompt === 'object' && body.prompt !== null) return true
  return Array.isArray(body.input) && body.input.some(isReference)
}

/** An item of an earlier answer, by its id; its type may be left out. */
function isReference(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false
  const { type, id, content } = item as Readonly<Record<string, unknown>>
  return type === 'item_reference' || (type === undefined && content === undefined && typeof id === 'string')
}

/** The cost of fewer tokens at the same prices as the worst case. */
function scaled(worst: Cost, usage: Usage, input: number, output: number): bigint {
  let pico = 0n
  for (const { part, quantity, each, pico: cost } of worst.parts) {
    if (part === 'output' || part === 'audioOut') pico += BigInt(Math.min(quantity, output)) * BigInt(each)
    else if (quantity === usage.inputTokens && part !== 'request') pico += BigInt(Math.min(quantity, input)) * BigInt(each)
    else pico += cost
  }
  return pico
}

function smaller(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}
