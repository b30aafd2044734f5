import { EXTENSION, encode, type ModelRequested, pieces, usageOf } from './chat.ts'
import { find } from './faults.ts'
import { type Frame, namedEvent, streamedReply, type WireReply, wholeReply } from './wire-reply.ts'

/** What the fake model's voice sounds like: every byte there is, so that a client which takes it for text shows. */
export const SPEECH: Buffer = Buffer.from(Array.from({ length: 1_024 }, (_, index) => index & 0xff))

/** Answers `POST /v1/images/generations`: `n` images, or for a stream one, after two that are not finished. */
export function imagesReply(request: ModelRequested): WireReply {
  const image = Buffer.from(pieces(request).join('')).toString('base64')
  if (request.body.stream !== true) {
    const data = Array.from({ length: typeof request.body.n === 'number' ? request.body.n : 1 }, () => ({ b64_json: image }))
    return wholeReply(encode({ created: 1_700_000_000, data, usage: counts(request), ...EXTENSION }))
  }
  const partial = [0, 1].map((index) => ({ partial_image_index: index, b64_json: image.slice(0, 8) }))
  return typedStream(request, 'image_generation.partial_image', partial, 'image_generation.completed', { b64_json: image })
}

/** Answers `POST /v1/audio/speech`: sound, or with `stream_format: 'sse'` its pieces as events. */
export function speechReply(request: ModelRequested): WireReply {
  if (request.body.stream_format !== 'sse') {
    const frames: readonly Frame[] = [{ text: SPEECH.toString('latin1'), encoding: 'latin1', content: true }]
    return { status: 200, headers: { 'content-type': 'audio/mpeg' }, frames, stream: false }
  }
  const deltas = [0, 256, 512, 768].map((from) => ({ audio: SPEECH.toString('base64', from, from + 256) }))
  return typedStream(request, 'speech.audio.delta', deltas, 'speech.audio.done', {})
}

/** Answers `POST /v1/audio/transcriptions`, whose fields come in a form: JSON, plain text, or events. */
export function transcriptionsReply(request: ModelRequested): WireReply {
  const text = pieces(request).join('')
  if (request.body.stream === 'true') {
    const deltas = pieces(request).map((delta) => ({ delta }))
    return typedStream(request, 'transcript.text.delta', deltas, 'transcript.text.done', { text })
  }
  if (request.body.response_format === 'text')
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      frames: [{ text, content: true }],
      stream: false,
    }
  return wholeReply(encode({ text, usage: counts(request), ...EXTENSION }))
}

function typedStream(
  request: ModelRequested,
  deltaType: string,
  deltas: readonly object[],
  doneType: string,
  done: object,
): WireReply {
  const frames = deltas.map((fields) => namedEvent(encode({ type: deltaType, ...fields }), deltaType, true))
  if (find(request.faults, 'no-done') === undefined)
    frames.push(namedEvent(encode({ type: doneType, ...done, usage: counts(request), ...EXTENSION }), doneType))
  return streamedReply(frames, 'typed')
}

function counts(request: ModelRequested): object | undefined {
  const usage = usageOf(request)
  if (usage === undefined) return undefined
  const { prompt_tokens, completion_tokens, total_tokens } = usage
  return { type: 'tokens', input_tokens: prompt_tokens, output_tokens: completion_tokens, total_tokens }
}
