import { SwitchyardError, type Usage } from '@switchyard/contract'
import type { Json } from '../dialect/fields.ts'
import { isObject, parsedEvent, textOf, upstreamInvalid } from '../dialect/lenient.ts'
import { inBandError } from '../openai-error.ts'
import { createSseDecoder, type SseDecoder } from '../sse/decoder.ts'
import { mergeCounts } from '../usage/counts.ts'
import { normaliseUsage, type UsageRoute } from '../usage/normalise.ts'
import { contentTexts, reasoningOf } from './chat-answer.ts'

/** What a chat stream says, part by part: a part is over when another begins. Texts are never empty. */
export interface ChatSink {
  begin(head: { readonly id: string; readonly model: string; readonly created: number | undefined }): void
  reasoning(delta: string): void
  text(delta: string): void
  refusal(delta: string): void
  toolCall(id: string, name: string): void
  /** Of the tool call that began last. */
  toolArguments(delta: string): void
  /** Once, at the end. */
  finish(end: {
    readonly finishReason: string | undefined
    readonly stopSequence: string | undefined
    readonly usage: Usage | undefined
  }): void
}

interface OpenCall {
  readonly index: number | undefined
  readonly id: string
  name: string
  /** Arguments that came before the name. */
  early: string
}

/** Reads the events of a chat stream, whatever its target's habits, into a sink. */
export class ChatChunks {
  private readonly sink: ChatSink
  private readonly route: UsageRoute | undefined
  private readonly decoder: SseDecoder = createSseDecoder()
  private id: string | undefined = undefined
  private call: OpenCall | undefined = undefined
  private calls = 0
  private readonly closedIndexes = new Set<number>()
  private finishReason: string | undefined = undefined
  private stopSequence: string | undefined = undefined
  private rawUsage: Json | undefined = undefined
  private finished = false

  constructor(sink: ChatSink, route?: UsageRoute) {
    this.sink = sink
    this.route = route
  }

  push(chunk: Uint8Array): void {
    for (const { data } of this.decoder.push(chunk)) {
      if (this.finished) return
      if (data === '[DONE]') this.finish()
      else this.read(parsedEvent(data))
    }
  }

  /** The stream ended: without `[DONE]` a finish reason proves it whole. */
  end(): void {
    if (this.finished) return
    if (this.finishReason === undefined)
      throw new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended before it was finished')
    this.finish()
  }

  private read(event: Json): void {
    if (event.error !== undefined && event.error !== null) throw inBandError(event.error, 'translation')
    if (isObject(event.usage)) this.rawUsage = mergeCounts(this.rawUsage, event.usage)
    const choice: unknown = Array.isArray(event.choices) ? event.choices[0] : undefined
    if (!isObject(choice)) return
    this.begin(event)
    if (isObject(choice.delta)) this.readDelta(choice.delta)
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') this.finishReason = choice.finish_reason
    if (typeof choice.stop_reason === 'string') this.stopSequence = choice.stop_reason
  }

  private begin(event: Json): void {
    if (this.id !== undefined) return
    this.id = textOf(event.id)
    const created = typeof event.created === 'number' ? event.created : undefined
    this.sink.begin({ id: this.id, model: textOf(event.model), created })
  }

  private readDelta(delta: Json): void {
    const parts = contentTexts(delta.content)
    const reasoning = reasoningOf(delta) + parts.reasoning
    const refusal = textOf(delta.refusal)
    if (reasoning !== '' || parts.text !== '' || refusal !== '') this.closeCall()
    if (reasoning !== '') this.sink.reasoning(reasoning)
    if (parts.text !== '') this.sink.text(parts.text)
    if (refusal !== '') this.sink.refusal(refusal)
    if (!Array.isArray(delta.tool_calls)) return
    for (const call of delta.tool_calls as unknown[]) if (isObject(call)) this.readCall(call)
  }

  private readCall(call: Json): void {
    const made = isObject(call.function) ? call.function : {}
    const given = textOf(made.arguments)
    const open = this.openCall(call)
    if (open.name !== '') {
      if (given !== '') this.sink.toolArguments(given)
      return
    }
    open.name = textOf(made.name)
    open.early += given
    if (open.name === '') return
    this.sink.toolCall(open.id, open.name)
    if (open.early !== '') this.sink.toolArguments(open.early)
  }

  /** The call that a piece belongs to. Some targets give all calls one index, or none, and tell them apart by id. */
  private openCall(call: Json): OpenCall {
    const index = typeof call.index === 'number' ? call.index : undefined
    const id = textOf(call.id)
    const { call: open } = this
    if (open !== undefined && (id === '' || id === open.id) && (index === undefined || index === open.index)) return open
    this.closeCall()
    if (index !== undefined && id === '' && this.closedIndexes.has(index))
      throw upstreamInvalid('a tool call goes on after another part began')
    this.call = { index, id: id || `call_${this.id}_${this.calls}`, name: '', early: '' }
    this.calls++
    return this.call
  }

  private closeCall(): void {
    const { call } = this
    if (call === undefined) return
    if (call.name === '') throw upstreamInvalid('a tool call names no function')
    if (call.index !== undefined) this.closedIndexes.add(call.index)
    this.call = undefined
  }

  private finish(): void {
    this.closeCall()
    this.finished = true
    const { finishReason, stopSequence } = this
    if (this.id === undefined) this.begin({})
    this.sink.finish({ finishReason, stopSequence, usage: normaliseUsage(this.rawUsage, this.route)?.usage })
  }
}
