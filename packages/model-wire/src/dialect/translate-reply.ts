import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import type { Json } from './fields.ts'
import { isObject, upstreamInvalid } from './lenient.ts'
import type { StreamTranslator } from './stream-translator.ts'

/** How the reply to a translated request becomes the client's. */
export interface ReplyTranslation {
  readonly whole: (reply: Json) => Json
  readonly stream: () => StreamTranslator
  /** Why an answer ended, in the client's words for the target's. */
  readonly reason: (finishReason: string) => string
}

/**
 * A target's reply in the client's dialect. Throws `UPSTREAM_INVALID` for a whole reply that cannot be translated; a stream's iteration
 * rejects with it, after what could be, and its ending tells it.
 */
export function translateReply(reply: ModelReply, translation: ReplyTranslation): ModelReply {
  if (reply.body instanceof Uint8Array)
    return {
      ...reply,
      body: Buffer.from(JSON.stringify(translation.whole(parsedReply(reply.body)))),
      ended: reply.ended.then((ending) => inWords(ending, translation.reason)),
    }
  const body = new TranslatedBody(reply.body, translation.stream())
  return { ...reply, body, ended: reply.ended.then((ending) => body.endingOf(inWords(ending, translation.reason))) }
}

function inWords(ending: ModelEnding, reason: ReplyTranslation['reason']): ModelEnding {
  return ending.finishReason === undefined ? ending : { ...ending, finishReason: reason(ending.finishReason) }
}

function parsedReply(body: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
    if (isObject(value)) return value
  } catch {
    // told below, without the text: it may hold anything
  }
  throw upstreamInvalid('it is not a JSON object')
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })

function silent(): void {}

/** Leaving it closes the target's stream at once, also before the first read and during one, which a generator does not. */
class TranslatedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  private readonly source: AsyncIterator<Uint8Array>
  private readonly translator: StreamTranslator
  /** What the translation failed with, rather than the target's stream. */
  private fault: SwitchyardError | undefined = undefined
  private failure: unknown = undefined
  private over = false

  constructor(body: AsyncIterable<Uint8Array>, translator: StreamTranslator) {
    this.source = body[Symbol.asyncIterator]()
    this.translator = translator
  }

  endingOf(ending: ModelEnding): ModelEnding {
    if (this.fault === undefined) return ending
    return { ...ending, outcome: this.fault.code === 'UPSTREAM_TRUNCATED' ? 'truncated' : 'error', error: this.fault }
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.over) {
      await this.pull()
      const value = this.translator.take()
      if (value.length > 0) return { done: false, value }
    }
    if (this.failure === undefined) return DONE
    const { failure } = this
    this.failure = undefined
    throw failure
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.over = true
    this.failure = undefined
    await this.source.return?.()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  private async pull(): Promise<void> {
    let step: IteratorResult<Uint8Array>
    try {
      step = await this.source.next()
    } catch (error) {
      this.fail(error)
      return
    }
    if (this.over) return
    try {
      if (step.done === true) this.translator.end()
      else this.translator.push(step.value)
    } catch (error) {
      this.fault = SwitchyardError.is(error) ? error : upstreamInvalid('its stream could not be read', error)
      this.fail(this.fault)
      this.source.return?.().catch(silent)
    }
    if (step.done === true) this.over = true
  }

  /** Once the reader left, nobody is to be told. */
  private fail(error: unknown): void {
    if (this.over) return
    this.over = true
    this.failure = error
  }
}
