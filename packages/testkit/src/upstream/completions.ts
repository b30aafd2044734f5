import { EXTENSION, encode, finishReason, type ModelRequested, pieces, usageOf } from './chat.ts'
import { find } from './faults.ts'
import { event, type Frame, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

/** Answers `POST /v1/completions`, whole or as a stream. */
export function completionsReply(request: ModelRequested): WireReply {
  const base = {
    id: `cmpl-fake-${request.index}`,
    object: 'text_completion',
    created: 1_700_000_000,
    model: request.model,
    ...EXTENSION,
  }
  const choice = (text: string, reason: string | null) => ({ index: 0, text, logprobs: null, finish_reason: reason })
  const usage = usageOf(request)
  if (request.body.stream !== true) {
    const choices = [choice(pieces(request).join(''), finishReason(request))]
    return wholeReply(encode({ ...base, choices, ...(usage && { usage }) }))
  }
  const frames: Frame[] = pieces(request).map((text) => event(encode({ ...base, choices: [choice(text, null)] }), true))
  frames.push(event(encode({ ...base, choices: [choice('', finishReason(request))] }), false))
  const asked = (request.body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true
  if (asked && usage !== undefined) frames.push(event(encode({ ...base, choices: [], usage }), false))
  if (find(request.faults, 'no-done') === undefined) frames.push(event('[DONE]', false))
  return streamedReply(frames, 'openai')
}
