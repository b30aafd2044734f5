import { EXTENSION, encode, finishReason, type ModelRequested, pieces, toolCall, usageOf } from './chat.ts'
import { find } from './faults.ts'
import { type Frame, namedEvent, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

type Json = Readonly<Record<string, unknown>>

/** Answers `POST /v1/responses`, whole or as a stream of numbered events. An error for a finish reason fails the response. */
export function responsesReply(request: ModelRequested): WireReply {
  const done = { ...envelope(request), ...ending(request), output: [outputItem(request)], usage: usage(request) }
  return request.body.stream === true ? streamedResponse(request, done) : wholeReply(encode(done))
}

function streamedResponse(request: ModelRequested, done: Json): WireReply {
  const frames: Frame[] = []
  const add = (type: string, fields: Json, content = false): void => {
    frames.push(namedEvent(encode({ type, sequence_number: frames.length, ...fields }), type, content))
  }
  const begun = { ...envelope(request), status: 'in_progress', output: [], usage: null }
  const item = outputItem(request)
  const place = { item_id: item.id, output_index: 0 }
  add('response.created', { response: begun })
  add('response.in_progress', { response: begun })
  const calls = toolCall(request)
  if (calls === undefined) {
    const text = pieces(request).join('')
    const part = { type: 'output_text', text: '', annotations: [] }
    add('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } })
    add('response.content_part.added', { ...place, content_index: 0, part })
    for (const delta of pieces(request)) add('response.output_text.delta', { ...place, content_index: 0, delta }, true)
    add('response.output_text.done', { ...place, content_index: 0, text })
    add('response.content_part.done', { ...place, content_index: 0, part: { ...part, text } })
  } else {
    add('response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', arguments: '' } }, true)
    for (const delta of calls.function.arguments.match(/.{1,6}/gsu) ?? [])
      add('response.function_call_arguments.delta', { ...place, delta }, true)
    add('response.function_call_arguments.done', { ...place, arguments: calls.function.arguments })
  }
  add('response.output_item.done', { output_index: 0, item })
  if (find(request.faults, 'no-done') === undefined) add(`response.${String(done.status)}`, { response: done })
  return streamedReply(frames, 'typed')
}

function envelope({ index, model }: ModelRequested): Json {
  const fields = { error: null, incomplete_details: null, instructions: null, metadata: {}, tools: [] }
  return { id: `resp_fake_${index}`, object: 'response', created_at: 1_700_000_000, model, ...fields, ...EXTENSION }
}

function outputItem(request: ModelRequested): Json {
  const calls = toolCall(request)
  if (calls !== undefined)
    return {
      id: `fc_fake_${request.index}`,
      type: 'function_call',
      status: 'completed',
      call_id: calls.head.id,
      ...calls.function,
    }
  const content = [{ type: 'output_text', text: pieces(request).join(''), annotations: [] }]
  return { id: `msg_fake_${request.index}`, type: 'message', status: 'completed', role: 'assistant', content }
}

function ending(request: ModelRequested): Json {
  const reason = finishReason(request)
  if (reason === 'stop' || reason === 'tool_calls') return { status: 'completed' }
  if (reason === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  return { status: 'failed', error: { code: reason, message: 'the fake upstream failed' } }
}

function usage(request: ModelRequested): object | null {
  const counts = usageOf(request)
  if (counts === undefined) return null
  return {
    input_tokens: counts.prompt_tokens,
    input_tokens_details: counts.prompt_tokens_details,
    output_tokens: counts.completion_tokens,
    output_tokens_details: counts.completion_tokens_details,
    total_tokens: counts.total_tokens,
  }
}
