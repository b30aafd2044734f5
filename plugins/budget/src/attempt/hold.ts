import { type Cost, type Entry, price, reservedPico, type Tier } from '@switchyard/catalog'
import type { ModelRequest, Usage } from '@switchyard/contract'
import { estimateRequest, outputLimit, tokenFamily, tokensOfBytes } from '@switchyard/model-wire'
import type { OutputLengths } from './output-lengths.ts'

/** What an attempt may cost, before it is sent. */
export interface Forecast {
  readonly inputTokens: number
  /** Pico-USD to hold; undefined for a model without a price. */
  readonly hold: bigint | undefined
  /** Pico-USD that it will cost as a rule; undefined for a model without a price. */
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
const STORED = ['previous_response_id', 'conversation', 'prompt_id'] as const
const NO_OUTPUT: ReadonlySet<string> = new Set(['embeddings', 'moderations', 'rerank'])
const MOST_ANSWERS = 128
const CACHED = 'cache_control'
const CACHED_1H = '"1h"'
const AUDIO_IN = 'input_audio'

/** Copies of a call carry one body; it is read once for all its attempts. */
const ESTIMATES = new WeakMap<object, Estimate>()

/** Estimates a request's tokens, once for all attempts with the same body. */
function estimateOf(request: ModelRequest): Estimate {
  const { body, endpoint, raw, model } = request
  if (raw !== undefined && raw.byteLength <= SMALL_BYTES && !includes(raw, TYPED)) {
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
  const input = bringsStored(request)
    ? (entry.limits.context ?? entry.limits.input ?? estimate.reservation)
    : estimate.reservation
  const usage = worstUsage(entry, request, Math.max(input, estimate.reservation), most)
  const worst = priced(entry, usage, tier, at)
  if (worst === undefined) return { inputTokens, hold: undefined, expected: undefined }
  const usual = Math.min(most, lengths.mean() ?? options.defaultOutputTokens)
  const expected = scaled(worst, usage, inputTokens, usual)
  const p90 = options.hold === 'p90' ? lengths.p90() : undefined
  const held = p90 === undefined || p90 >= most ? worst.pico : scaled(worst, usage, usage.inputTokens, p90)
  // Prices guessed for a tier are held at their safety factor, whatever part of the worst case is held.
  const hold = held === worst.pico ? reservedPico(worst) : (held * reservedPico(worst)) / worst.pico
  return { inputTokens, hold, expected: smaller(expected, hold) }
}

function priced(entry: Entry, usage: Usage, tier: Tier, at: number): Cost | undefined {
  const cost = price(entry, usage, { tier, at })
  return cost === null || cost.unknown.length > 0 ? undefined : cost
}

function mostOutput(entry: Entry, request: ModelRequest, estimate: Estimate, options: ForecastOptions): number {
  if (NO_OUTPUT.has(request.endpoint)) return 0
  if (estimate.maxOutputTokens !== undefined) return estimate.maxOutputTokens
  const { n } = request.body
  const answers = typeof n === 'number' && Number.isSafeInteger(n) && n > 1 ? Math.min(n, MOST_ANSWERS) : 1
  return (entry.limits.output ?? options.defaultMaxOutputTokens) * answers
}

function worstUsage(entry: Entry, request: ModelRequest, input: number, output: number): Usage {
  const prices = entry.prices[0]?.perToken ?? {}
  const plain = prices.input ?? 0
  const audioOut = Array.isArray(request.body.modalities) && request.body.modalities.includes('audio')
  const units = unitsOf(entry, request)
  const base = {
    inputTokens: input,
    outputTokens: output,
    ...(audioOut && { audioOutputTokens: output }),
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

/** What is billed by the piece: images at the dearest quality and size there is, speech by its characters. */
function unitsOf(entry: Entry, { endpoint, body }: ModelRequest): Usage['units'] {
  const perUnit = entry.prices[0]?.perUnit
  if (perUnit === undefined) return undefined
  if (endpoint === 'audio/speech' && perUnit.character !== undefined && typeof body.input === 'string')
    return { character: body.input.length }
  if (endpoint !== 'images/generations' || perUnit.image === undefined) return undefined
  const [dearest] = Object.entries(perUnit.image).sort(([, a], [, b]) => b - a)
  const count = typeof body.n === 'number' && Number.isSafeInteger(body.n) && body.n > 0 ? Math.min(body.n, MOST_ANSWERS) : 1
  return dearest === undefined ? undefined : { [`image:${dearest[0]}`]: count }
}

/** Looks for a word in the bytes of a body; a body without bytes is taken to hold it. */
function mentions({ raw }: ModelRequest, word: string): boolean {
  return raw === undefined || includes(raw, word)
}

function includes(bytes: Uint8Array, word: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(word)
}

function bringsStored({ body }: ModelRequest): boolean {
  return STORED.some((name) => body[name] !== undefined && body[name] !== null)
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
