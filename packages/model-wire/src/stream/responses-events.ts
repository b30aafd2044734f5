import { isObject } from '../dialect/lenient.ts'
import { inBandError } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { type NormalisedUsage, normaliseUsage } from '../usage/normalise.ts'
import { routeOf } from '../usage/route-of.ts'
import { tierWord } from '../usage/service-tier.ts'
import { withUnits } from '../usage/with-units.ts'
import { dataOf, type Json, lengthOf, parseData } from './event-data.ts'
import type { StreamEvents, Verdict } from './stream-events.ts'

/** Reads a stream of `responses`: the response that is completed, incomplete or failed ends it and tells its usage. */
export class ResponsesEvents implements StreamEvents {
  contentSeen = false
  outputBytes = 0
  usage: NormalisedUsage | undefined = undefined
  serviceTier: string | undefined = undefined
  finishReason: string | undefined = undefined
  private readonly options: RelayOptions

  constructor(options: RelayOptions) {
    this.options = options
  }

  /** Counts come with the end only. */
  get uncountedBytes(): number {
    return this.usage === undefined ? this.outputBytes : 0
  }

  /** There is no finish reason without its terminator. */
  get allFinished(): boolean {
    return this.finishReason !== undefined
  }

  read(text: string): Verdict {
    const { plugin, secrets } = this.options
    const data = dataOf(text, plugin, secrets)
    // Some servers end every stream with [DONE]; a response that is whole has said so before.
    if (data === undefined || data === '[DONE]') return 'pass'
    const event = parseData(data, plugin)
    if (event.type === 'error' || isObject(event.error)) throw inBandError(event.error ?? event, plugin, secrets)
    const response = isObject(event.response) ? event.response : {}
    switch (event.type) {
      case 'response.completed':
      case 'response.incomplete':
        this.readEnd(response)
        return 'done'
      case 'response.failed':
      case 'response.cancelled':
        this.readEnd(response)
        throw inBandError(response.error ?? { message: `the response ${String(response.status)}` }, plugin, secrets)
      case 'response.output_item.done':
        this.contentSeen = true
        return 'pass'
    }
    const bytes = lengthOf(event.delta) + lengthOf(event.partial_image_b64)
    if (bytes > 0) this.contentSeen = true
    this.outputBytes += bytes
    return 'pass'
  }

  private readEnd(response: Json): void {
    this.usage = withUnits(normaliseUsage(response.usage, routeOf(this.options)), response, this.options.request)
    this.serviceTier = tierWord(response)
    if (response.status === 'failed' || response.status === 'cancelled') return
    this.finishReason = responseReason(response)
  }
}

/** Why a response ended: what made it incomplete, else its status. */
export function responseReason(response: Json): string {
  const { incomplete_details: details, status } = response
  if (isObject(details) && typeof details.reason === 'string') return details.reason
  return typeof status === 'string' ? status : 'completed'
}
