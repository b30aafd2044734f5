import { inBandError, throwErrorReason } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { mergeCounts } from '../usage/counts.ts'
import { type NormalisedUsage, normaliseUsage, type UsageRoute } from '../usage/normalise.ts'
import { routeOf } from '../usage/route-of.ts'
import { tierWord } from '../usage/service-tier.ts'
import { DeltaTemplate } from './delta-template.ts'
import { dataOf, invalidStream, type Json, lengthOf, parseData } from './event-data.ts'
import type { StreamEvents, Verdict } from './stream-events.ts'

/** More choices than any provider gives: a stream that names more is none. */
const MAX_CHOICES = 1_024

/** Reads a stream of `chat/completions` or `completions`, which `[DONE]` ends. One a stream: a class, its state is all it is. */
export class ChatEvents implements StreamEvents {
  contentSeen = false
  outputBytes = 0
  usage: NormalisedUsage | undefined = undefined
  serviceTier: string | undefined = undefined
  private readonly plugin: string
  private readonly route: UsageRoute
  private readonly hideUsage: boolean
  private readonly secrets: readonly string[] | undefined
  private rawUsage: Json | undefined = undefined
  private reason: string | undefined = undefined
  private toolCalls = false
  private readonly template = new DeltaTemplate()
  private readonly open = new Set<number>()
  private finished = 0
  private countedBytes = 0

  constructor(options: RelayOptions) {
    this.plugin = options.plugin
    this.route = routeOf(options)
    this.hideUsage = options.hideUsage ?? false
    this.secrets = options.secrets
  }

  get uncountedBytes(): number {
    return this.outputBytes - this.countedBytes
  }

  get finishReason(): string | undefined {
    return this.toolCalls && this.reason === 'stop' ? 'tool_calls' : this.reason
  }

  /** Every choice that was begun has said why it ended. */
  get allFinished(): boolean {
    return this.finished > 0 && this.open.size === 0
  }

  /** Throws SwitchyardError for an error event, and for what is no event of the dialect. */
  read(text: string): Verdict {
    const known = this.template.textOf(text)
    if (known !== undefined) {
      this.count(Buffer.byteLength(known))
      return 'pass'
    }
    const data = dataOf(text, this.plugin, this.secrets)
    if (data === undefined) return 'pass'
    if (data === '[DONE]') return 'done'
    const event = parseData(data, this.plugin)
    if (event.error !== undefined && event.error !== null) throw inBandError(event.error, this.plugin, this.secrets)
    if (event['html-message'] !== undefined) throw invalidStream(this.plugin, 'the upstream sent text in place of events')
    const counted = typeof event.usage === 'object' && event.usage !== null
    if (counted) this.mergeUsage(event.usage as Json)
    this.serviceTier = tierWord(event) ?? this.serviceTier
    const choices = event.choices
    if (!Array.isArray(choices)) {
      if (counted) this.countedBytes = this.outputBytes
      return 'pass'
    }
    for (const choice of choices as unknown[]) {
      if (typeof choice !== 'object' || choice === null)
        throw invalidStream(this.plugin, 'the upstream sent a choice that is no object')
      this.readChoice(choice as Json)
    }
    // The counts of an event hold what it says itself.
    if (counted) this.countedBytes = this.outputBytes
    this.template.learn(text, event)
    return this.hideUsage && choices.length === 0 && counted ? 'hide' : 'pass'
  }

  private mergeUsage(raw: Json): void {
    this.rawUsage = mergeCounts(this.rawUsage, raw)
    this.usage = normaliseUsage(this.rawUsage, this.route)
  }

  private readChoice(choice: Json): void {
    const index = typeof choice.index === 'number' ? choice.index : 0
    const delta = choice.delta as Json | null | undefined
    if (delta) {
      const bytes =
        lengthOf(delta.content) + lengthOf(delta.refusal) + lengthOf(delta.reasoning_content) + lengthOf(delta.reasoning)
      const called = lengthOf(delta.tool_calls)
      if (called > 0) this.toolCalls = true
      this.count(bytes + called)
    } else this.count(lengthOf(choice.text))
    const reason = choice.finish_reason
    if (typeof reason !== 'string' || reason === '') {
      this.open.add(index)
      if (this.open.size > MAX_CHOICES) throw invalidStream(this.plugin, 'the upstream sent more choices than anyone asked for')
      return
    }
    throwErrorReason(reason, this.plugin, this.secrets)
    this.open.delete(index)
    this.finished++
    this.contentSeen = true
    this.reason = reason
  }

  private count(bytes: number): void {
    if (bytes > 0) this.contentSeen = true
    this.outputBytes += bytes
  }
}
