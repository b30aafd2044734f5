import type { Usage } from '@switchyard/contract'
import { ChatChunks, type ChatSink } from '../chat/chat-chunks.ts'
import type { Json } from '../dialect/fields.ts'
import type { ReplyOptions } from '../dialect/options.ts'
import { EventBuffer, type StreamTranslator } from '../dialect/stream-translator.ts'
import { responsesUsage } from '../dialect/usage-words.ts'
import {
  callItem,
  type ItemStatus,
  messageItem,
  outputText,
  reasoningItem,
  reasoningPart,
  refusalPart,
} from './output-items.ts'
import { endingOf, itemId, responseOf } from './reply-from-chat.ts'

/**
 * A stream of `chat/completions` as one of `responses`.
 * @param request The `responses` request, parts of which its response repeats.
 */
export function chatStreamToResponses(request: Json, options: ReplyOptions): StreamTranslator {
  return new ResponsesFromChat(request, options)
}

type PartKind = 'output_text' | 'refusal' | 'reasoning_text'

interface OpenPart {
  readonly kind: PartKind
  text: string
}

/** An item on its way: a message or reasoning with its parts, or a call with its arguments. */
interface OpenItem {
  readonly kind: 'message' | 'reasoning' | 'function_call'
  readonly id: string
  readonly parts: Json[]
  part: OpenPart | undefined
  readonly call: { readonly id: string; readonly name: string; arguments: string }
}

const NO_CALL = { id: '', name: '', arguments: '' }
const PREFIX = { message: 'msg', reasoning: 'rs', function_call: 'fc' } as const

class ResponsesFromChat implements StreamTranslator, ChatSink {
  private readonly events = new EventBuffer()
  private readonly chunks: ChatChunks
  private readonly request: Json
  private readonly options: ReplyOptions
  private response: Record<string, unknown> = {}
  private chatId = ''
  private readonly output: Json[] = []
  private item: OpenItem | undefined = undefined
  private sequence = 0

  constructor(request: Json, options: ReplyOptions) {
    this.request = request
    this.options = options
    this.chunks = new ChatChunks(this, options.usage)
  }

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
  }

  end(): void {
    this.chunks.end()
  }

  take(): Uint8Array {
    return this.events.take()
  }

  begin(head: { readonly id: string; readonly model: string; readonly created: number | undefined }): void {
    this.chatId = head.id
    this.response = responseOf(head, this.request, this.options)
    this.send('response.created', { response: this.response })
    this.send('response.in_progress', { response: this.response })
  }

  reasoning(delta: string): void {
    this.say('reasoning', 'reasoning_text', delta)
  }

  text(delta: string): void {
    this.say('message', 'output_text', delta)
  }

  refusal(delta: string): void {
    this.say('message', 'refusal', delta)
  }

  toolCall(id: string, name: string): void {
    this.startItem('function_call', { id, name, arguments: '' })
  }

  toolArguments(delta: string): void {
    if (this.item === undefined) return
    this.item.call.arguments += delta
    this.send('response.function_call_arguments.delta', { ...this.place(this.item), delta })
  }

  finish(end: { readonly finishReason: string | undefined; readonly usage: Usage | undefined }): void {
    const ending = endingOf(end.finishReason)
    this.closeItem(ending.status)
    const response = { ...this.response, ...ending, output: this.output, usage: responsesUsage(end.usage) }
    this.send(`response.${ending.status}`, { response })
  }

  private say(itemKind: 'message' | 'reasoning', partKind: PartKind, delta: string): void {
    const item = this.item?.kind === itemKind ? this.item : this.startItem(itemKind, NO_CALL)
    const part = item.part?.kind === partKind ? item.part : this.startPart(item, partKind)
    part.text += delta
    this.send(`response.${partKind}.delta`, {
      ...this.partPlace(item),
      delta,
      ...(partKind === 'output_text' && { logprobs: [] }),
    })
  }

  private startItem(kind: OpenItem['kind'], call: OpenItem['call']): OpenItem {
    this.closeItem('completed')
    const id = itemId(PREFIX[kind], this.chatId, this.output.length)
    this.item = { kind, id, parts: [], part: undefined, call }
    this.send('response.output_item.added', {
      output_index: this.output.length,
      item: itemJson(this.item, 'in_progress'),
    })
    return this.item
  }

  private closeItem(status: ItemStatus): void {
    const { item } = this
    if (item === undefined) return
    this.closePart(item)
    if (item.kind === 'function_call')
      this.send('response.function_call_arguments.done', {
        ...this.place(item),
        name: item.call.name,
        arguments: item.call.arguments,
      })
    const made = itemJson(item, status)
    this.send('response.output_item.done', { output_index: this.output.length, item: made })
    this.output.push(made)
    this.item = undefined
  }

  private startPart(item: OpenItem, kind: PartKind): OpenPart {
    this.closePart(item)
    item.part = { kind, text: '' }
    this.send('response.content_part.added', { ...this.partPlace(item), part: partJson(item.part) })
    return item.part
  }

  private closePart(item: OpenItem): void {
    if (item.part === undefined) return
    const { kind, text } = item.part
    const place = this.partPlace(item)
    const part = partJson(item.part)
    this.send(`response.${kind}.done`, {
      ...place,
      ...(kind === 'refusal' ? { refusal: text } : { text }),
      ...(kind === 'output_text' && { logprobs: [] }),
    })
    this.send('response.content_part.done', { ...place, part })
    item.parts.push(part)
  }

  private place(item: OpenItem): { item_id: string; output_index: number } {
    return { item_id: item.id, output_index: this.output.length }
  }

  private partPlace(item: OpenItem): { item_id: string; output_index: number; content_index: number } {
    return { ...this.place(item), content_index: item.parts.length }
  }

  private send(type: string, fields: Json): void {
    this.events.named({ type, sequence_number: this.sequence, ...fields })
    this.sequence++
  }
}

function partJson({ kind, text }: OpenPart): Record<string, unknown> {
  if (kind === 'output_text') return outputText(text)
  return kind === 'refusal' ? refusalPart(text) : reasoningPart(text)
}

function itemJson(item: OpenItem, status: ItemStatus): Record<string, unknown> {
  if (item.kind === 'function_call') return callItem(item.id, status, item.call)
  const parts = [...item.parts]
  return item.kind === 'message' ? messageItem(item.id, status, parts) : reasoningItem(item.id, status, parts)
}
