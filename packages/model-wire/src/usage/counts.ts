import { isObject } from '../dialect/lenient.ts'

/** A usage as it was sent. */
export type RawUsage = Readonly<Record<string, unknown>>

const FIELDS = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'prompt_cache_hit_tokens',
  'cached_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
  'input_tokens_details',
  'output_tokens_details',
  'input_token_details',
  'output_token_details',
  'seconds',
  'prompt_audio_seconds',
  'server_tool_use',
  'server_side_tool_usage_details',
  'num_search_queries',
  'service_tier',
  'speed',
] as const

/** Counts that a stream tells piece by piece: by field, the later wins. Fields that nobody reads are left out, so it cannot grow. */
export function mergeCounts(earlier: RawUsage | undefined, later: RawUsage): RawUsage {
  const merged: Record<string, unknown> = { ...earlier }
  for (const name of FIELDS) if (later[name] !== undefined && later[name] !== null) merged[name] = later[name]
  return merged
}

/** Counts by their meaning, each undefined or 0 where nothing was told. Parts are as they were sent, and may be larger than their whole. */
export interface Counts {
  /** A native dialect's: OpenAI's `responses`, Anthropic's `messages`. */
  readonly native: boolean
  /** The cache is told in Anthropic's fields. */
  readonly namesCache: boolean
  readonly prompt: number
  readonly completion: number | undefined
  readonly total: number | undefined
  readonly read: number
  readonly write: number
  /** Part of `write`. */
  readonly writeHour: number
  readonly reasoning: number
  /** Without what of it came from a cache, as far as that is told; so is `imageIn`. */
  readonly audioIn: number
  readonly audioOut: number
  readonly imageIn: number
  readonly imageOut: number
}

const NONE: RawUsage = Object.freeze({})

/**
 * Reads any dialect's names: OpenAI's and Anthropic's, `prompt_cache_hit_tokens` of DeepSeek, `cached_tokens` of Moonshot. Undefined
 * where the input was not counted. An explicit 0 is a count; a negative one is none.
 */
export function countsOf(fields: RawUsage): Counts | undefined {
  const native = fields.input_tokens !== undefined && fields.prompt_tokens === undefined
  const prompt = count(native ? fields.input_tokens : fields.prompt_tokens)
  if (prompt === undefined) return undefined
  const input = record(fields.prompt_tokens_details ?? fields.input_tokens_details ?? fields.input_token_details)
  const output = record(fields.completion_tokens_details ?? fields.output_tokens_details ?? fields.output_token_details)
  const cached = record(input.cached_tokens_details)
  const written = record(fields.cache_creation)
  const hour = count(written.ephemeral_1h_input_tokens) ?? 0
  return {
    native,
    namesCache: fields.cache_read_input_tokens !== undefined || fields.cache_creation_input_tokens !== undefined,
    prompt,
    completion: count(native ? fields.output_tokens : fields.completion_tokens),
    total: count(fields.total_tokens),
    read:
      count(fields.cache_read_input_tokens) ??
      count(input.cached_tokens) ??
      count(fields.prompt_cache_hit_tokens) ??
      count(fields.cached_tokens) ??
      0,
    write:
      count(fields.cache_creation_input_tokens) ??
      count(input.cache_write_tokens) ??
      hour + (count(written.ephemeral_5m_input_tokens) ?? 0),
    writeHour: hour,
    reasoning: count(output.reasoning_tokens) ?? count(output.thinking_tokens) ?? 0,
    audioIn: less(count(input.audio_tokens), count(cached.audio_tokens)),
    audioOut: count(output.audio_tokens) ?? 0,
    imageIn: less(count(input.image_tokens), count(cached.image_tokens)),
    imageOut: count(output.image_tokens) ?? 0,
  }
}

/** A count as it may be booked: a whole number from 0; undefined for anything else. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** An object, or an empty one in place of anything else. */
export function record(value: unknown): RawUsage {
  return isObject(value) ? value : NONE
}

function less(whole = 0, part = 0): number {
  return Math.max(0, whole - part)
}
