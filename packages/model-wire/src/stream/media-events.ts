import { isObject } from '../dialect/lenient.ts'
import { inBandError } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { mergeCounts } from '../usage/counts.ts'
import { type NormalisedUsage, normaliseUsage } from '../usage/normalise.ts'
import { routeOf } from '../usage/route-of.ts'
import { dataOf, type Json, parseData } from './event-data.ts'
import type { StreamEvents, Verdict } from './stream-events.ts'

/** Reads streams of images, speech and transcripts: each of their pieces ends with an event of its own, which tells its usage. */
export class MediaEvents implements StreamEvents {
  contentSeen = false
  /** Unknown: an image has no tokens to be estimated from. */
  readonly outputBytes = 0
  readonly uncountedBytes = 0
  readonly serviceTier: undefined = undefined
  readonly finishReason: undefined = undefined
  private readonly options: RelayOptions
  private rawUsage: Json | undefined = undefined
  private left: number

  constructor(options: RelayOptions) {
    this.options = options
    const { n } = options.request.body
    this.left = options.request.endpoint === 'images/generations' && typeof n === 'number' && n > 1 ? n : 1
  }

  get usage(): NormalisedUsage | undefined {
    return normaliseUsage(this.rawUsage, routeOf(this.options))
  }

  get allFinished(): boolean {
    return this.left <= 0
  }

  read(text: string): Verdict {
    const { plugin, secrets } = this.options
    const data = dataOf(text, plugin, secrets)
    if (data === undefined) return 'pass'
    if (data === '[DONE]') return 'done'
    const event = parseData(data, plugin)
    if (event.type === 'error' || isObject(event.error)) throw inBandError(event.error ?? event, plugin, secrets)
    this.contentSeen = true
    if (typeof event.type !== 'string' || !/\.(?:done|completed)$/.test(event.type)) return 'pass'
    if (isObject(event.usage)) this.rawUsage = mergeCounts(this.rawUsage, event.usage)
    this.left--
    return this.left <= 0 ? 'done' : 'pass'
  }
}
