import { type ModelEnding, type ModelReply, type ModelRequest, SwitchyardError } from '@switchyard/contract'
import {
  answerMutant,
  callMutant,
  endingMutant,
  errorMutant,
  eventMutant,
  quiet,
  replyMutant,
  streamMutant,
} from './altering.ts'
import type { ModelMutant } from './model-fixture.ts'
import { type ChatChunk, isUsageChunk } from './reading.ts'

const TEXT = new TextEncoder()

/** What goes wrong with a stream, and with leaving one. */
export const streamMutants: readonly ModelMutant[] = [
  eventMutant('drops-the-terminator', 'streams', (data) => (data === '[DONE]' ? undefined : data)),
  eventMutant('drops-content', 'streams', (data) => (data.includes('Depot') ? undefined : data)),
  streamMutant('hands-out-what-the-socket-gives', 'streams-whole-events', async function* (source) {
    for await (const chunk of source) {
      for (let from = 0; from < chunk.length; from += 50) yield chunk.slice(from, from + 50)
    }
  }),
  streamMutant('knows-lf-only', 'streams-any-line-end', (source, { fixture }) => {
    const fault = fixture.upstream.requests.at(-1)?.fault ?? ''
    return fault.includes('lines:') ? drained(source) : source
  }),
  callMutant('stumbles-over-comments', 'streams-past-comments', async (right, request, options, { fixture }) => {
    const reply = await right.invoke(request, options)
    const fault = fixture.upstream.requests.at(-1)?.fault ?? ''
    if (fault.includes('pings') || fault.includes('bom')) throw new SwitchyardError('UPSTREAM_INVALID', 'this is no event')
    return reply
  }),
  streamMutant('gathers-streams', 'streams-as-it-comes', async function* (source) {
    const chunks: Uint8Array[] = []
    for await (const chunk of source) chunks.push(chunk)
    yield* chunks
  }),
  eventMutant('hides-usage-that-was-asked-for', 'streams-usage-asked-for', (data) =>
    data !== '[DONE]' && isUsageChunk(JSON.parse(data) as ChatChunk) ? undefined : data,
  ),
  eventMutant('shows-usage-unasked', 'streams-no-usage-unasked', (data) =>
    data === '[DONE]' ? '{"choices":[],"usage":{"prompt_tokens":7}}\n\ndata: [DONE]' : data,
  ),
  endingMutant('calls-streamed-usage-reported', 'streams-no-invented-usage', (ending) => ({
    ...ending,
    usageSource: 'reported',
  })),
  eventMutant('drops-tool-arguments', 'streams-tool-calls', (data) => (data.includes('days') ? undefined : data)),
  streamMutant('leaves-large-events-out', 'streams-large-events-or-fails', async function* (source) {
    for await (const chunk of quiet(source)) if (chunk.length < 65_536) yield chunk
  }),
  callMutant('resolves-at-headers', 'rejects-before-content', resolvingEarly),
  answerMutant('hands-on-a-first-error-event', 'rejects-a-first-error-event'),
  streamMutant('ends-quietly-on-reset', 'tells-a-reset', quiet),
  endingMutant('calls-a-reset-complete', 'tells-a-reset', (ending) => completed(ending)),
  streamMutant('ends-quietly-on-a-cut', 'tells-a-clean-cut', quiet),
  endingMutant('calls-a-cut-complete', 'tells-a-clean-cut', (ending) => completed(ending)),
  streamMutant('adds-a-terminator', 'tells-a-clean-cut', async function* (source) {
    yield* quiet(source)
    yield TEXT.encode('data: [DONE]\n\n')
  }),
  streamMutant('withholds-what-came-before-a-break', 'hands-out-what-came', async function* (source) {
    let last: Uint8Array | undefined
    for await (const chunk of source) {
      if (last !== undefined) yield last
      last = chunk
    }
    if (last !== undefined) yield last
  }),
  streamMutant('ends-quietly-on-an-error-event', 'tells-an-error-event', quiet),
  streamMutant('skips-broken-events', 'tells-a-broken-event', quiet),
  streamMutant('takes-any-finish-for-an-end', 'tells-an-error-finish', quiet),
  replyMutant('rejects-ended', 'settles-ended', (reply) => {
    const ended = reply.ended.then((ending) => (ending.error === undefined ? ending : Promise.reject(ending.error)))
    ended.catch(() => {})
    return { ...reply, ended }
  }),
  replyMutant('ends-only-when-read-to-the-end', 'settles-ended', (reply) => ({
    ...reply,
    ended: reply.ended.then((ending) => (ending.outcome === 'aborted' ? new Promise<ModelEnding>(() => {}) : ending)),
  })),
  endingMutant('tells-no-error', 'settles-ended', ({ error: _, ...ending }) => ending),
  callMutant('sends-in-spite-of-the-signal', 'sends-nothing-once-aborted', async (right, request, options) => {
    const fresh = { ...options, signal: new AbortController().signal }
    await right.invoke(request, options.signal?.aborted ? fresh : options)
    throw new SwitchyardError('ABORTED', 'the caller left')
  }),
  callMutant('ignores-the-signal', 'aborts-before-headers', (right, request) => right.invoke(request, {})),
  callMutant('ignores-the-signal-in-mid-body', 'aborts-in-mid-body', (right, request) => right.invoke(request, {})),
  errorMutant('calls-every-abort-aborted', 'keeps-the-reason', () => new SwitchyardError('ABORTED', 'the caller left')),
  callMutant('ignores-the-signal-before-content', 'aborts-before-content', (right, request) => right.invoke(request, {})),
  callMutant('ignores-the-signal-mid-stream', 'aborts-mid-stream', (right, request) => right.invoke(request, {})),
  streamMutant('ends-quietly-on-abort', 'aborts-mid-stream', quiet),
  endingMutant('calls-leaving-complete', 'ends-when-broken-off', (ending) => completed(ending)),
  callMutant('leaves-the-upstream-running', 'cancels-on-abort', async (right, request, { signal }) => {
    const left = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new SwitchyardError('ABORTED', 'the caller left')))
    })
    left.catch(() => {})
    return Promise.race([right.invoke(request, {}), left])
  }),
  streamMutant('reads-on-when-broken-off', 'cancels-on-break', (source) => ({
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      return { next: () => iterator.next(), return: async () => ({ done: true, value: undefined }) }
    },
  })),
]

/** Reads to the end and hands out nothing. */
async function* drained(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const _ of source) yield* []
}

function completed({ error: _, ...ending }: ModelEnding): ModelEnding {
  return { ...ending, outcome: 'complete' }
}

/** Resolves first and lets iteration find out. */
async function resolvingEarly(
  right: { invoke(request: ModelRequest, options: object): Promise<ModelReply> },
  request: ModelRequest,
  options: object,
): Promise<ModelReply> {
  const call = right.invoke(request, options)
  const ended = call.then(
    (reply) => reply.ended,
    (error: SwitchyardError): ModelEnding => ({
      outcome: 'error',
      error,
      usage: { inputTokens: 0, outputTokens: 0 },
      usageSource: 'none',
    }),
  )
  const body = (async function* () {
    const reply = await call
    if (!(reply.body instanceof Uint8Array)) yield* reply.body
  })()
  call.catch(() => {})
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body, ended }
}
