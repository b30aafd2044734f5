import type { ModelEnding, ModelReply, ModelRequest } from '@switchyard/contract'

/** The header that marks a reply of a lower rung, with the rung's name. */
export const DEGRADED_HEADER = 'x-switchyard-degraded'

const RUNG = 'static-answer'
const NOTHING_USED: Omit<ModelEnding, 'outcome'> = {
  usage: { inputTokens: 0, outputTokens: 0 },
  usageSource: 'none',
  finishReason: 'stop',
}

/** Whether there is a shape for the answer to such a request. */
export function answersStatically(request: Pick<ModelRequest, 'endpoint'>): boolean {
  return request.endpoint === 'chat/completions'
}

/** `text` as the answer to a chat request, whole or streamed as it asked. Nothing was used, so nothing is to be paid. */
export function staticAnswer(request: ModelRequest, text: string, id: string, now: number): ModelReply {
  const created = Math.floor(now / 1_000)
  const base = { id: `chatcmpl-static-${id}`, created, model: request.model }
  const headers = (type: string): Record<string, string> => ({ 'content-type': type, [DEGRADED_HEADER]: RUNG })
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  if (!request.stream) {
    const choice = {
      index: 0,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    }
    const body = Buffer.from(JSON.stringify({ ...base, object: 'chat.completion', choices: [choice], usage }))
    return {
      status: 200,
      headers: headers('application/json'),
      body,
      ended: Promise.resolve({ outcome: 'complete', ...NOTHING_USED }),
    }
  }
  const chunk = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  const options = request.body.stream_options as { readonly include_usage?: unknown } | null | undefined
  const events =
    chunk([{ index: 0, delta: { role: 'assistant', content: text }, finish_reason: null }]) +
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]) +
    (options?.include_usage === true ? chunk([], { usage }) : '') +
    'data: [DONE]\n\n'
  const stream = new StaticStream(Buffer.from(events))
  return { status: 200, headers: headers('text/event-stream'), body: stream, ended: stream.ended }
}

/** One chunk, whose ending is told when the reader has come to it or left. */
class StaticStream implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly ended: Promise<ModelEnding>
  private chunk: Uint8Array | undefined
  private settle!: (ending: ModelEnding) => void

  constructor(chunk: Uint8Array) {
    this.chunk = chunk
    this.ended = new Promise((resolve) => {
      this.settle = resolve
    })
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const value = this.chunk
    this.chunk = undefined
    if (value !== undefined) return { done: false, value }
    this.settle({ outcome: 'complete', ...NOTHING_USED })
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.settle({ outcome: this.chunk === undefined ? 'complete' : 'aborted', ...NOTHING_USED })
    this.chunk = undefined
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
