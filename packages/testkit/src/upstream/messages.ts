import { argumentPieces, type MadeCall } from './answer.ts'
import { EXTENSION, encode, finishReason, type ModelRequested, pieces, usageOf } from './chat.ts'
import { find } from './faults.ts'
import { type Frame, namedEvent, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

const REASONS: Readonly<Record<string, string>> = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' }

/** Answers `POST /v1/messages` in Anthropic's dialect, whole or as a stream. Its cache is outside of `input_tokens`. */
export function messagesReply(request: ModelRequested): WireReply {
  return request.body.stream === true ? streamedMessage(request) : wholeMessage(request)
}

function wholeMessage(request: ModelRequested): WireReply {
  const content =
    request.calls.length === 0
      ? [{ type: 'text', text: pieces(request).join('') }]
      : request.calls.map((call) => ({ ...toolUse(call), input: JSON.parse(call.arguments) as unknown }))
  const { input, output } = usage(request)
  const message = { ...envelope(request), content, stop_reason: stopReason(request), stop_sequence: null }
  return { ...wholeReply(encode({ ...message, ...(input && { usage: { ...input, ...output } }) })), errors: 'anthropic' }
}

function streamedMessage(request: ModelRequested): WireReply {
  const frame = (data: { readonly type: string }, content = false): Frame => namedEvent(encode(data), data.type, content)
  const { input, output } = usage(request)
  const message = { ...envelope(request), content: [], stop_reason: null, stop_sequence: null }
  const started = { ...message, ...(input && { usage: { ...input, output_tokens: 1 } }) }
  const delta = { stop_reason: stopReason(request), stop_sequence: null }
  const frames: Frame[] = [
    frame({ type: 'message_start', message: started } as { type: string }),
    ...blocks(request).flatMap(({ block, deltas }, index) => [
      frame({ type: 'content_block_start', index, content_block: block } as { type: string }, block.type === 'tool_use'),
      ...(index === 0 ? [frame({ type: 'ping' })] : []),
      ...deltas.map((piece) => frame({ type: 'content_block_delta', index, delta: piece } as { type: string }, true)),
      frame({ type: 'content_block_stop', index } as { type: string }),
    ]),
    frame({ type: 'message_delta', delta, ...(output && { usage: output }) } as { type: string }),
  ]
  if (find(request.faults, 'no-done') === undefined) frames.push(frame({ type: 'message_stop' }))
  return streamedReply(frames, 'anthropic')
}

function envelope({ index, model }: ModelRequested): object {
  return { id: `msg_fake_${index}`, type: 'message', role: 'assistant', model, ...EXTENSION }
}

interface Block {
  /** As its stream begins it. */
  readonly block: { readonly type: string }
  readonly deltas: readonly object[]
}

function blocks(request: ModelRequested): readonly Block[] {
  if (request.calls.length === 0) {
    const block = { type: 'text', text: '' }
    return [{ block, deltas: pieces(request).map((text) => ({ type: 'text_delta', text })) }]
  }
  return request.calls.map((call) => ({
    block: { ...toolUse(call), input: {} },
    deltas: argumentPieces(call).map((part) => ({ type: 'input_json_delta', partial_json: part })),
  }))
}

function toolUse({ id, name }: MadeCall): { readonly type: string } {
  return { type: 'tool_use', id, name } as { type: string }
}

function stopReason(request: ModelRequested): string {
  const reason = finishReason(request)
  return REASONS[reason] ?? reason
}

function usage(request: ModelRequested): { readonly input?: object; readonly output?: object } {
  const counts = usageOf(request)
  if (counts === undefined) return {}
  const { prompt_tokens, completion_tokens, prompt_tokens_details } = counts
  const cached = prompt_tokens_details.cached_tokens
  const input = { input_tokens: prompt_tokens - cached, cache_read_input_tokens: cached, cache_creation_input_tokens: 0 }
  return { input, output: { output_tokens: completion_tokens } }
}
