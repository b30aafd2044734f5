import type { Usage } from '@switchyard/contract'
import { ChatChunks, type ChatSink } from '../chat/chat-chunks.ts'
import { EventBuffer, type StreamTranslator } from '../dialect/stream-translator.ts'
import { messagesUsage } from '../dialect/usage-words.ts'
import type { UsageRoute } from '../usage/normalise.ts'
import { emptyMessage, stopOf, textBlock, thinkingBlock, toolUseBlock } from './reply-from-chat.ts'

type Kind = 'text' | 'thinking' | 'tool_use'

/**
 * A stream of `chat/completions` as one of `messages`. Usage comes with its `message_delta`, since chat tells it last.
 * @param usage By which rule the target's usage becomes totals. Default `openai`.
 */
export function chatStreamToMessages(usage?: UsageRoute): StreamTranslator {
  return new MessagesFromChat(usage)
}

class MessagesFromChat implements StreamTranslator, ChatSink {
  private readonly events = new EventBuffer()
  private readonly chunks: ChatChunks
  private open: Kind | undefined = undefined
  private index = -1
  private calls = 0
  private refused = ''

  constructor(usage: UsageRoute | undefined) {
    this.chunks = new ChatChunks(this, usage)
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

  begin({ id, model }: { readonly id: string; readonly model: string }): void {
    this.events.named({ type: 'message_start', message: emptyMessage(id, model) })
  }

  reasoning(thinking: string): void {
    if (this.open !== 'thinking') this.start('thinking', thinkingBlock(''))
    this.delta({ type: 'thinking_delta', thinking })
  }

  text(text: string): void {
    if (this.open !== 'text') this.start('text', textBlock(''))
    this.delta({ type: 'text_delta', text })
  }

  refusal(text: string): void {
    this.refused = 'refused'
    this.text(text)
  }

  toolCall(id: string, name: string): void {
    this.calls++
    this.start('tool_use', toolUseBlock(id, name, {}))
  }

  toolArguments(partial_json: string): void {
    this.delta({ type: 'input_json_delta', partial_json })
  }

  finish(end: {
    readonly finishReason: string | undefined
    readonly stopSequence: string | undefined
    readonly usage: Usage | undefined
  }): void {
    this.close()
    const toolCalls = { length: this.calls }
    const stop = stopOf({ ...end, toolCalls, refusal: this.refused })
    this.events.named({
      type: 'message_delta',
      delta: { ...stop, stop_details: null, container: null },
      usage: messagesUsage(end.usage),
    })
    this.events.named({ type: 'message_stop' })
  }

  private start(kind: Kind, content_block: unknown): void {
    this.close()
    this.open = kind
    this.index++
    this.events.named({ type: 'content_block_start', index: this.index, content_block })
  }

  private delta(delta: unknown): void {
    this.events.named({ type: 'content_block_delta', index: this.index, delta })
  }

  private close(): void {
    if (this.open === undefined) return
    this.open = undefined
    this.events.named({ type: 'content_block_stop', index: this.index })
  }
}
