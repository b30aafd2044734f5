import { argumentPieces, type MadeCall } from './answer.ts'
import { EXTENSION, encode, finishReason, type ModelRequested, pieces, usageOf } from './chat.ts'
import { find } from './faults.ts'
import { type Frame, namedEvent, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

type Json = Readonly<Record<string, unknown>>

/** Answers `POST /v1/responses`, whole or as a stream of numbered events. An error for a finish reason fails the response. */
export function responsesReply(request: ModelRequested): WireReply {
  const done = { ...envelope(request), ...ending(request), output: outputItems(request), usage: usage(request) }
  return request.body.stream === true ? streamedResponse(request, done) : wholeReply(encode(done))
}

function streamedResponse(request: ModelRequested, done: Json): WireReply {
  const frames: Frame[] = []
  const add = (type: string, fields: Json, content = false): void => {
    frames.push(namedEvent(encode({ type, sequence_number: frames.length, ...fields }), type, content))
  }
  const begun = { ...envelope(request), status: 'in_progress', output: [], usage: null }
  add('response.created', { response: begun })
  add('response.in_progress', { response: begun })
  for (const [output_index, item] of outputItems(request).entries()) {
    const call = request.calls[output_index]
    const place = { item_id: item.id, output_index }
    if (call === undefined) {
      const text = pieces(request).join('')
      const part = { type: 'output_text', text: '', annotations: [] }
      add('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } })
      add('response.content_part.added', { ...place, content_index: 0, part })
      for (const delta of pieces(request)) add('response.output_text.delta', { ...place, content_index: 0, delta }, true)
      add('response.output_text.done', { ...place, content_index: 0, text })
      add('response.content_part.done', { ...place, content_index: 0, part: { ...part, text } })
    } else {
      add('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } }, true)
      for (const delta of argumentPieces(call)) add('response.function_call_arguments.delta', { ...place, delta }, true)
      add('response.function_call_arguments.done', { ...place, arguments: call.arguments })
    }
    add('response.output_item.done', { output_index, item })
  }
  if (find(request.faults, 'no-done') === undefined) add(`response.${String(done.status)}`, { response: done })
  return streamedReply(frames, 'typed')
}

function envelope({ index, model }: ModelRequested): Json {
  const fields = { error: null, incomplete_details: null, instructions: null, metadata: {}, tools: [] }
  return { id: `resp_fake_${index}`, object: 'response', created_at: 1_700_000_000, model, ...fields, ...EXTENSION }
}

function outputItems(request: ModelRequested): readonly Json[] {
  const { index, calls } = request
  if (calls.length > 0) return calls.map((call, place) => callItem(call, `fc_fake_${index}_${place}`))
  const content = [{ type: 'output_text', text: pieces(request).join(''), annotations: [] }]
  return [{ id: `msg_fake_${index}`, type: 'message', status: 'completed', role: 'assistant', content }]
}

function callItem(call: MadeCall, id: string): Json {
  return { id, type: 'function_call', status: 'completed', call_id: call.id, name: call.name, arguments: call.arguments }
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
