import { SwitchyardError } from '@switchyard/contract'
import type { Json } from '../dialect/fields.ts'
import { isObject, parsedEvent, textOf, upstreamInvalid } from '../dialect/lenient.ts'
import type { ReplyOptions } from '../dialect/options.ts'
import { EventBuffer, type StreamTranslator } from '../dialect/stream-translator.ts'
import { chatUsage } from '../dialect/usage-words.ts'
import { inBandError } from '../openai-error.ts'
import { createSseDecoder, type SseDecoder } from '../sse/decoder.ts'
import { mergeCounts } from '../usage/counts.ts'
import { normaliseUsage } from '../usage/normalise.ts'
import { finishReasonOf, stopSequenceOf } from './reply-from-messages.ts'

export interface ChatStreamOptions extends ReplyOptions {
  /** The client asked for `stream_options.include_usage`. */
  readonly includeUsage: boolean
}

/** A stream of `messages` as one of `chat/completions`. */
export function messagesStreamToChat(options: ChatStreamOptions): StreamTranslator {
  return new ChatFromMessages(options)
}

interface OpenBlock {
  readonly json: Json
  thinking: string
  signature: string
  /** Of a tool: its place among them, and whether arguments came. */
  readonly call: number
  argued: boolean
}

class ChatFromMessages implements StreamTranslator {
  private readonly events = new EventBuffer()
  private readonly decoder: SseDecoder = createSseDecoder()
  private readonly options: ChatStreamOptions
  private head: Json = {}
  private rawUsage: Json | undefined = undefined
  private stop: Json = {}
  private readonly blocks = new Map<unknown, OpenBlock>()
  private calls = 0
  private finished = false

  constructor(options: ChatStreamOptions) {
    this.options = options
  }

  push(chunk: Uint8Array): void {
    for (const { data } of this.decoder.push(chunk)) if (!this.finished) this.read(parsedEvent(data))
  }

  end(): void {
    if (!this.finished) throw new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended before it was finished')
  }

  take(): Uint8Array {
    return this.events.take()
  }

  private read(event: Json): void {
    if (event.type === 'error' || isObject(event.error)) throw inBandError(event.error, 'translation')
    if (event.type === 'message_start') this.begin(isObject(event.message) ? event.message : {})
    else if (event.type === 'content_block_start') this.startBlock(event)
    else if (event.type === 'content_block_delta') this.readDelta(event)
    else if (event.type === 'content_block_stop') this.stopBlock(event.index)
    else if (event.type === 'message_delta') {
      this.count(event.usage)
      if (isObject(event.delta)) this.stop = event.delta
    } else if (event.type === 'message_stop') this.finish()
  }

  private begin(message: Json): void {
    const { created } = this.options
    this.head = { id: textOf(message.id), object: 'chat.completion.chunk', created, model: textOf(message.model) }
    this.count(message.usage)
    this.send({ role: 'assistant', content: '', refusal: null })
  }

  private count(usage: unknown): void {
    if (isObject(usage)) this.rawUsage = mergeCounts(this.rawUsage, usage)
  }

  private startBlock(event: Json): void {
    const json = isObject(event.content_block) ? event.content_block : {}
    const open: OpenBlock = { json, thinking: '', signature: '', call: this.calls, argued: false }
    this.blocks.set(event.index, open)
    if (json.type === 'text') this.say('content', textOf(json.text))
    else if (json.type === 'thinking') this.think(open, textOf(json.thinking))
    else if (json.type === 'tool_use') {
      this.calls++
      const made = { name: textOf(json.name), arguments: '' }
      this.send({ tool_calls: [{ index: open.call, id: textOf(json.id), type: 'function', function: made }] })
    } else if (json.type !== 'redacted_thinking')
      throw upstreamInvalid(`it holds a block of type ${JSON.stringify(textOf(json.type))}`)
  }

  private readDelta(event: Json): void {
    const delta = isObject(event.delta) ? event.delta : {}
    const open = this.blocks.get(event.index)
    if (open === undefined) throw upstreamInvalid('a content block goes on that did not begin')
    if (delta.type === 'text_delta') this.say('content', textOf(delta.text))
    else if (delta.type === 'thinking_delta') this.think(open, textOf(delta.thinking))
    else if (delta.type === 'signature_delta') open.signature = textOf(delta.signature)
    else if (delta.type === 'input_json_delta' && textOf(delta.partial_json) !== '') {
      open.argued = true
      this.argue(open, textOf(delta.partial_json))
    }
  }

  /** A tool without arguments is told none: an object without members in chat. Thinking is whole only now, with its signature. */
  private stopBlock(index: unknown): void {
    const open = this.blocks.get(index)
    if (open === undefined) return
    this.blocks.delete(index)
    const { json, thinking, signature } = open
    if (json.type === 'tool_use' && !open.argued) this.argue(open, JSON.stringify(json.input ?? {}))
    else if (json.type === 'redacted_thinking') this.send({ thinking_blocks: [json] })
    else if (json.type === 'thinking')
      this.send({ thinking_blocks: [{ type: 'thinking', thinking, signature: signature || textOf(json.signature) }] })
  }

  private think(open: OpenBlock, text: string): void {
    open.thinking += text
    this.say('reasoning_content', text)
  }

  private argue(open: OpenBlock, text: string): void {
    this.send({ tool_calls: [{ index: open.call, function: { arguments: text } }] })
  }

  private say(field: string, text: string): void {
    if (text !== '') this.send({ [field]: text })
  }

  private finish(): void {
    this.finished = true
    const { stop_reason, stop_sequence } = this.stop
    this.send({}, { finish_reason: finishReasonOf(textOf(stop_reason)), ...stopSequenceOf(stop_sequence) })
    const usage = normaliseUsage(this.rawUsage, this.options.usage ?? 'anthropic')?.usage
    if (this.options.includeUsage && usage !== undefined)
      this.events.plain({ ...this.head, choices: [], usage: chatUsage(usage) })
    this.events.plain('[DONE]')
  }

  private send(delta: Json, end: Json = { finish_reason: null }): void {
    const choices = [{ index: 0, delta, logprobs: null, ...end }]
    this.events.plain({ ...this.head, choices, ...(this.options.includeUsage && { usage: null }) })
  }
}
