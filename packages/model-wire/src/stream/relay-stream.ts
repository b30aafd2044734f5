import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import { notEvents } from '../openai-error.ts'
import { type RelayOptions, replyHeaders, type Upstream } from '../relay-options.ts'
import { createSseFramer, type Frames, MAX_EVENT_BYTES, type SseFramer } from '../sse/framer.ts'
import { bookedUsage } from '../usage/booked.ts'
import { type StreamEvents, streamEvents, type Verdict } from './stream-events.ts'

/**
 * Hands a stream on as it comes, read in the dialect of the request's endpoint. Resolves at its first content event; a fault before it
 * rejects, so that the call may be repeated. Bytes pass untouched, whole events a chunk. @see ModelReply
 */
export async function relayStream(upstream: Upstream, options: RelayOptions): Promise<ModelReply> {
  const relay = new StreamRelay(upstream, options)
  await relay.open()
  return { status: upstream.status, headers: replyHeaders(upstream.headers), body: relay, ended: relay.ended }
}

const LF = 10
const BEGUN_EVENT = /^(?:data|event|id|retry)?:/
/** So many small pieces before the first content become one. */
const LOOSE_PIECES = 1_024

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })

/** One stream on its way. A class, since one is made a request: no closures. */
class StreamRelay implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly ended: Promise<ModelEnding>
  private readonly upstream: Upstream
  private readonly source: AsyncIterator<Uint8Array>
  private readonly options: RelayOptions
  private readonly framer: SseFramer
  private readonly events: StreamEvents
  private readonly ready: Uint8Array[] = []
  private readyBytes = 0
  private loose = 0
  private terminated = false
  private failure: SwitchyardError | undefined = undefined
  private settled = false
  private settle!: (ending: ModelEnding) => void

  constructor(upstream: Upstream, options: RelayOptions) {
    this.upstream = upstream
    this.source = upstream.body[Symbol.asyncIterator]()
    this.options = options
    this.framer = createSseFramer({ maxEventBytes: options.maxEventBytes ?? MAX_EVENT_BYTES })
    this.events = streamEvents(options)
    this.ended = new Promise((resolve) => {
      this.settle = resolve
    })
    options.signal?.addEventListener('abort', this)
  }

  /** Reads up to the first content event. Rejects for a fault before it. */
  async open(): Promise<void> {
    if (this.options.signal?.aborted) this.fail(abortReason(this.options.signal))
    while (!this.events.contentSeen && !this.terminated && this.failure === undefined) await this.pull()
    if (this.failure === undefined || this.events.contentSeen) return
    this.finish()
    throw this.failure
  }

  /** The signal aborted: the consumer may not be reading, and the ending must still be told. */
  handleEvent(): void {
    if (this.options.signal === undefined) return
    this.fail(abortReason(this.options.signal))
    this.ready.length = 0
    this.finish()
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (true) {
      const value = this.ready.shift()
      if (value !== undefined) return { done: false, value }
      if (this.failure !== undefined) {
        this.finish()
        throw this.failure
      }
      if (this.terminated || this.settled) {
        this.finish()
        return DONE
      }
      await this.pull()
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.terminated)
      this.fail(new SwitchyardError('ABORTED', 'the reader left before the end', { plugin: this.options.plugin }))
    this.ready.length = 0
    this.finish()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  private async pull(): Promise<void> {
    try {
      const step = await this.source.next()
      if (this.failure !== undefined) return
      if (step.done === true) this.endOfBody()
      else {
        const frames = this.framer.push(step.value)
        if (frames !== undefined) this.take(frames)
      }
    } catch (error) {
      this.fail(SwitchyardError.is(error) ? error : this.error('UPSTREAM_INVALID', 'the stream could not be read', error))
    }
  }

  /** Reads each event; hands out those before a failure, and none after the terminator. */
  private take({ bytes, ends }: Frames): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let from = 0
    let start = 0
    for (const end of ends) {
      let verdict: Verdict
      try {
        verdict = this.events.read(text.toString('utf8', start, end))
      } catch (error) {
        this.emit(bytes, from, start)
        this.fail(error as SwitchyardError)
        return
      }
      if (verdict === 'hide') {
        // A LF in front ends the event before it, whose CR came with an earlier chunk.
        this.emit(bytes, from, text[start] === LF ? start + 1 : start)
        from = end
      } else if (verdict === 'done') {
        this.emit(bytes, from, end)
        this.terminated = true
        const { body } = this.upstream
        if (body.drain === undefined) body.destroy()
        else body.drain()
        return
      }
      start = end
    }
    this.emit(bytes, from, start)
  }

  private emit(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return
    this.ready.push(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
    if (this.events.contentSeen) return
    if (++this.loose === LOOSE_PIECES) {
      this.loose = 0
      this.ready.push(Buffer.concat(this.ready.splice(-LOOSE_PIECES)))
    }
    this.readyBytes += to - from
    if (this.readyBytes > (this.options.maxEventBytes ?? MAX_EVENT_BYTES))
      throw this.error('UPSTREAM_INVALID', 'no content in all that came')
  }

  private endOfBody(): void {
    if (this.options.terminator === 'finish-reason' && this.events.allFinished) {
      this.terminated = true
      return
    }
    this.fail(this.events.contentSeen ? this.truncated() : this.noContent())
  }

  /** The body ended before any content: an error told as one JSON object, a page for people, or nothing at all. */
  private noContent(): SwitchyardError {
    const rest = Buffer.from(this.framer.rest()).toString('utf8').trim()
    if (rest === '' || BEGUN_EVENT.test(rest)) return this.truncated()
    return notEvents(rest, this.options.plugin, this.options.secrets)
  }

  private truncated(): SwitchyardError {
    return this.error('UPSTREAM_TRUNCATED', 'the stream ended before it was finished')
  }

  private error(code: 'UPSTREAM_INVALID' | 'UPSTREAM_TRUNCATED', what: string, cause?: unknown): SwitchyardError {
    return new SwitchyardError(code, `${this.options.plugin}: ${what}`, { plugin: this.options.plugin, cause })
  }

  /** The first ending counts. */
  private fail(error: SwitchyardError): void {
    if (this.failure !== undefined || this.settled) return
    this.failure = error
    this.upstream.body.destroy(error)
  }

  private finish(): void {
    if (this.settled) return
    this.settled = true
    this.options.signal?.removeEventListener('abort', this)
    const { events, failure } = this
    const { finishReason, serviceTier } = events
    const said = { bytes: events.outputBytes, uncounted: events.uncountedBytes, whole: failure === undefined }
    this.settle({
      outcome: failure === undefined ? 'complete' : outcomeOf(failure),
      ...(failure !== undefined && { error: failure }),
      ...bookedUsage(events.usage, this.options.request, said),
      ...(serviceTier !== undefined && { serviceTier }),
      ...(finishReason !== undefined && { finishReason }),
    })
  }
}

function outcomeOf({ code }: SwitchyardError): ModelEnding['outcome'] {
  if (code === 'UPSTREAM_TRUNCATED') return 'truncated'
  return code === 'ABORTED' ? 'aborted' : 'error'
}

function abortReason(signal: AbortSignal): SwitchyardError {
  if (SwitchyardError.is(signal.reason)) return signal.reason
  return new SwitchyardError('ABORTED', 'the call was aborted', { cause: signal.reason })
}
