import type { ModelEndpoint } from '@switchyard/contract'
import { type CountOptions, countText } from './count-tokens.ts'
import { measureAtOnce } from './estimate-tokens.ts'
import { reservationOf } from './heuristic.ts'
import { mediaCost } from './media.ts'
import { START_MULTIPLIERS, type TokenMultipliers } from './multipliers.ts'
import { outputLimit } from './output-limit.ts'
import { type RequestContent, requestContent } from './request-content.ts'

type Body = Readonly<Record<string, unknown>>

/** What a request will take, in tokens: whole numbers >= 0. */
export interface RequestEstimate {
  /** As a rule. Images, audio and files included. */
  readonly inputTokens: number
  /** The most output that the request allows, all its answers together; absent where it sets no limit. */
  readonly maxOutputTokens?: number
  /** How many images it holds. */
  readonly images: number
  /** Input tokens to reserve before the call; never below `inputTokens`. Media by the vendor's limit, long runs at 1.4 characters a token. */
  readonly reservation: number
  /** For `TokenMultipliers.learn`: the estimate without a multiplier. Absent where there is nothing to learn, as with images. */
  readonly unscaled?: number
}

export interface EstimateOptions {
  /** As `tokenFamily` names it, or a catalog. Default `other`. */
  readonly family?: string | undefined
  readonly multipliers?: Pick<TokenMultipliers, 'of'> | undefined
  /** Length of the body in bytes, if known: it stands for the values of a body that holds more than 20,000, which are not read. */
  readonly bytes?: number | undefined
}

/** Bytes a token of what was not read: JSON of many small values, most of it punctuation. */
const UNREAD_BYTES_PER_TOKEN = 2

/**
 * Estimates a request of any endpoint at once, in less time than its parsing took. It never throws. What the body only points
 * to (a `previous_response_id`, a stored prompt) is not counted.
 */
export function estimateRequest(body: Body, endpoint: ModelEndpoint, options: EstimateOptions = {}): RequestEstimate {
  const { family = 'other', multipliers = START_MULTIPLIERS } = options
  const content = requestContent(body, endpoint)
  const measure = measureAtOnce(content.text)
  const factor = multipliers.of(family)
  const other = otherTokens(content, family, options.bytes)
  const unscaled = measure.tokens + other.frame
  return {
    ...summary(body, endpoint, content),
    inputTokens: Math.ceil(unscaled * factor) + other.media,
    reservation: Math.ceil(reservationOf(measure, factor) + other.frame * Math.max(1, factor)) + other.mostMedia,
    ...(content.media.length === 0 && !content.cut && { unscaled }),
  }
}

/**
 * The same, reading all of it, its text by `countTokens`: exact where that is, in slices of about a millisecond. Rejects `ABORTED`.
 */
export async function countRequest(
  body: Body,
  endpoint: ModelEndpoint,
  options: CountOptions & Pick<EstimateOptions, 'bytes'>,
): Promise<RequestEstimate> {
  const { family, multipliers = START_MULTIPLIERS } = options
  const content = requestContent(body, endpoint)
  const counted = await countText(content.text, options)
  const factor = counted.exact ? 1 : multipliers.of(family)
  const other = otherTokens(content, family, options.bytes)
  const frame = Math.ceil(other.frame * factor)
  return {
    ...summary(body, endpoint, content),
    inputTokens: counted.tokens + frame + other.media,
    reservation: counted.reservation + Math.ceil(other.frame * Math.max(1, factor)) + other.mostMedia,
  }
}

function summary(
  body: Body,
  endpoint: ModelEndpoint,
  content: RequestContent,
): Pick<RequestEstimate, 'images' | 'maxOutputTokens'> {
  const maxOutputTokens = outputLimit(body, endpoint)
  const images = content.media.filter(({ kind }) => kind === 'image').length
  return { images, ...(maxOutputTokens !== undefined && { maxOutputTokens }) }
}

function otherTokens(
  content: RequestContent,
  family: string,
  bytes: number | undefined,
): { readonly frame: number; readonly media: number; readonly mostMedia: number } {
  let media = 0
  let mostMedia = 0
  let held = content.text.length
  for (const part of content.media) {
    const cost = mediaCost(part, family)
    media += cost.tokens
    mostMedia += cost.most
    held += part.base64Length ?? 0
  }
  const unread = content.cut && bytes !== undefined ? Math.max(0, bytes - held) / UNREAD_BYTES_PER_TOKEN : 0
  return { frame: content.frame + unread, media, mostMedia }
}
