import { isObject } from '../dialect/lenient.ts'
import { inBandError, throwErrorReason } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { mergeCounts } from '../usage/counts.ts'
import { type NormalisedUsage, normaliseUsage } from '../usage/normalise.ts'
import { routeOf } from '../usage/route-of.ts'
import { dataOf, type Json, lengthOf, parseData } from './event-data.ts'
import type { StreamEvents, Verdict } from './stream-events.ts'

const NO_OUTPUT = Object.freeze({ output_tokens: undefined, output_tokens_details: undefined })

/** Reads a stream of `messages`: `message_stop` ends it, `message_start` and `message_delta` tell its usage. */
export class MessagesEvents implements StreamEvents {
  contentSeen = false
  outputBytes = 0
  finishReason: string | undefined = undefined
  private readonly options: RelayOptions
  private rawUsage: Json | undefined = undefined
  private countedBytes = 0

  constructor(options: RelayOptions) {
    this.options = options
  }

  get usage(): NormalisedUsage | undefined {
    return normaliseUsage(this.rawUsage, routeOf(this.options))
  }

  get serviceTier(): string | undefined {
    return this.usage?.serviceTier
  }

  get uncountedBytes(): number {
    return this.outputBytes - this.countedBytes
  }

  get allFinished(): boolean {
    return this.finishReason !== undefined
  }

  read(text: string): Verdict {
    const { plugin, secrets } = this.options
    const data = dataOf(text, plugin, secrets)
    if (data === undefined) return 'pass'
    // Some servers in front of a model end every stream with it.
    if (data === '[DONE]') return 'pass'
    const event = parseData(data, plugin)
    if (event.type === 'error' || isObject(event.error)) throw inBandError(event.error ?? event, plugin, secrets)
    switch (event.type) {
      case 'message_start':
        // Its count of the output is a beginning, of what nobody has said yet: only the end's is one.
        if (isObject(event.message) && isObject(event.message.usage)) this.count({ ...event.message.usage, ...NO_OUTPUT })
        break
      case 'content_block_start':
        this.readBlock(event.content_block)
        break
      case 'content_block_delta':
        this.readDelta(event.delta)
        break
      case 'message_delta':
        this.count(event.usage)
        this.readEnd(event.delta)
        break
      case 'message_stop':
        return 'done'
    }
    return 'pass'
  }

  private count(usage: unknown): void {
    if (!isObject(usage)) return
    this.rawUsage = mergeCounts(this.rawUsage, usage)
    this.countedBytes = this.outputBytes
  }

  /** A tool's name, or what a server's tool found, is content; an empty text is only its beginning. */
  private readBlock(block: unknown): void {
    if (!isObject(block)) return
    this.said(lengthOf(block.text) + lengthOf(block.thinking))
    if (block.type !== 'text' && block.type !== 'thinking') this.said(lengthOf(block.name) || 1)
  }

  private readDelta(delta: unknown): void {
    if (isObject(delta)) this.said(lengthOf(delta.text) + lengthOf(delta.thinking) + lengthOf(delta.partial_json))
  }

  private readEnd(delta: unknown): void {
    if (!isObject(delta) || typeof delta.stop_reason !== 'string') return
    throwErrorReason(delta.stop_reason, this.options.plugin, this.options.secrets)
    this.finishReason = delta.stop_reason
    this.contentSeen = true
  }

  private said(bytes: number): void {
    if (bytes > 0) this.contentSeen = true
    this.outputBytes += bytes
  }
}
