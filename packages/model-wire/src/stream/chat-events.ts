import { SwitchyardError } from '@switchyard/contract'
import { inBandError, notEvents, throwErrorReason } from '../openai-error.ts'
import type { RelayOptions } from '../relay-options.ts'
import { parseFields } from '../sse/decoder.ts'
import { mergeCounts, type NormalisedUsage, normaliseUsage, type UsageRoute } from '../usage/normalise.ts'

/** More choices than any provider gives: a stream that names more is none. */
const MAX_CHOICES = 1_024

type Json = Readonly<Record<string, unknown>>

/** What one event means for the stream. */
export type Verdict = 'pass' | 'hide' | 'done'

/** Reads a chat stream's events as they pass, and remembers what its ending needs. One a stream: a class, its state is all it is. */
export class ChatEvents {
  contentSeen = false
  outputBytes = 0
  usage: NormalisedUsage | undefined = undefined
  private readonly plugin: string
  private readonly route: UsageRoute
  private readonly hideUsage: boolean
  private readonly secrets: readonly string[] | undefined
  private rawUsage: Json | undefined = undefined
  private reason: string | undefined = undefined
  private toolCalls = false
  private readonly open = new Set<number>()
  private finished = 0

  constructor(options: RelayOptions) {
    this.plugin = options.plugin
    this.route = options.dialect ?? 'openai'
    this.hideUsage = options.hideUsage ?? false
    this.secrets = options.secrets
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
    const data = dataOf(text, this.plugin, this.secrets)
    if (data === undefined) return 'pass'
    if (data === '[DONE]') return 'done'
    const event = parse(data, this.plugin)
    if (event.error !== undefined && event.error !== null) throw inBandError(event.error, this.plugin, this.secrets)
    if (event['html-message'] !== undefined) throw invalid(this.plugin, 'the upstream sent text in place of events')
    const counted = typeof event.usage === 'object' && event.usage !== null
    if (counted) this.mergeUsage(event.usage as Json)
    const choices = event.choices
    if (!Array.isArray(choices)) return 'pass'
    for (const choice of choices as unknown[]) {
      if (typeof choice !== 'object' || choice === null)
        throw invalid(this.plugin, 'the upstream sent a choice that is no object')
      this.readChoice(choice as Json)
    }
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
      if (this.open.size > MAX_CHOICES) throw invalid(this.plugin, 'the upstream sent more choices than anyone asked for')
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

/** The event's data, undefined for a comment. The usual event is one `data:` line, which needs no field parser. */
function dataOf(text: string, plugin: string, secrets: readonly string[] | undefined): string | undefined {
  if (text.startsWith('data:') && !text.includes('\r')) {
    const end = text.indexOf('\n')
    if (text.indexOf('\n', end + 1) === end + 1) return text.slice(text.charCodeAt(5) === 32 ? 6 : 5, end)
  }
  const fields = parseFields(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  if (!fields.known && text.trim() !== '') throw notEvents(text, plugin, secrets)
  return fields.data
}

function parse(data: string, plugin: string): Json {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null) return value as Json
  } catch {
    // told below, without the text: it may hold anything
  }
  throw invalid(plugin, 'the upstream sent an event that is not a JSON object')
}

function invalid(plugin: string, what: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `${plugin}: ${what}`, { plugin })
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return Array.isArray(value) && value.length > 0 ? Buffer.byteLength(JSON.stringify(value)) : 0
}
