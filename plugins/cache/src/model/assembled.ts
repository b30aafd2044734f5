import { type Call, type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'
import { bodyIn, endIn, frameKind, headIn, noFrame } from './frames.ts'

/** The reply that frames tell of, some headers put over its own. Rejects where the frames break off before a whole body is there. */
export async function assembled(
  frames: AsyncIterable<Uint8Array>,
  { signal }: Pick<Call, 'signal'>,
  more: Readonly<Record<string, string>> | undefined,
): Promise<ModelReply> {
  const source = frames[Symbol.asyncIterator]()
  const first = await source.next()
  if (first.done === true) throw noFrame()
  const { status, headers: own, stream } = headIn(first.value)
  const headers = more === undefined ? own : { ...own, ...more }
  if (stream) {
    const body = new SharedBody(source, signal)
    return { status, headers, body, ended: body.ended }
  }
  const chunks: Uint8Array[] = []
  let ending: ModelEnding | undefined
  for (;;) {
    const { done, value } = await source.next()
    if (done === true) break
    if (frameKind(value) === 'end') ending = endIn(value)
    else chunks.push(bodyIn(value))
  }
  if (ending === undefined) throw noFrame()
  const body = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
  return { status, headers, body, ended: Promise.resolve(ending) }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })
const NOTHING_KNOWN = Object.freeze({
  usage: Object.freeze({ inputTokens: 0, outputTokens: 0 }),
  usageSource: 'none' as const,
})

/** A stream out of frames. Its ending settles where it is read to the end, broken off, or its call's signal aborts. */
class SharedBody implements AsyncIterableIterator<Uint8Array> {
  readonly ended: Promise<ModelEnding>
  readonly #source: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal
  #told: ModelEnding | undefined
  #failure: SwitchyardError | undefined
  #over = false
  readonly #settle: (ending: ModelEnding) => void

  constructor(source: AsyncIterator<Uint8Array>, signal: AbortSignal) {
    this.#source = source
    this.#signal = signal
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    this.ended = promise
    this.#settle = resolve
    if (signal.aborted) this.handleEvent()
    else signal.addEventListener('abort', this)
  }

  handleEvent(): void {
    this.#breakOff(abortReason(this.#signal))
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (!this.#over) {
      try {
        const { done, value } = await this.#source.next()
        if (this.#over) break
        if (done === true) this.#end(this.#told === undefined ? noFrame() : undefined)
        else if (frameKind(value) === 'body') return { done: false, value: bodyIn(value) }
        else this.#told = endIn(value)
      } catch (error) {
        this.#end(asError(error))
      }
    }
    return this.#last()
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#breakOff(new SwitchyardError('ABORTED', 'the reader left before the end'))
    this.#failure = undefined
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #last(): IteratorResult<Uint8Array> {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
    return DONE
  }

  #breakOff(error: SwitchyardError): void {
    if (this.#over) return
    this.#end(error)
    this.#source.return?.().catch(() => {})
  }

  #end(error: SwitchyardError | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#failure = error
    this.#signal.removeEventListener('abort', this)
    const told = this.#told ?? { outcome: 'error' as const, ...NOTHING_KNOWN }
    this.#settle(error === undefined ? told : { ...told, outcome: outcomeOf(error), error })
  }
}

export function outcomeOf({ code }: SwitchyardError): ModelEnding['outcome'] {
  if (code === 'UPSTREAM_TRUNCATED') return 'truncated'
  return code === 'ABORTED' ? 'aborted' : 'error'
}

export function abortReason(signal: AbortSignal): SwitchyardError {
  if (SwitchyardError.is(signal.reason)) return signal.reason
  return new SwitchyardError('ABORTED', 'the call was aborted', { cause: signal.reason })
}

function asError(error: unknown): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  return new SwitchyardError('INTERNAL', 'cache: a shared reply failed; see the cause', { cause: error })
}
