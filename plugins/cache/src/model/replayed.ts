import { type Clock, type ModelEnding, SwitchyardError } from '@switchyard/contract'
import { abortReason, outcomeOf } from './assembled.ts'
import { filled, type Template, type Values } from './template.ts'

export interface ReplayParts {
  readonly templates: readonly Template[]
  readonly values: Values
  readonly ending: ModelEnding
  readonly signal: AbortSignal
  readonly clock: Pick<Clock, 'schedule'>
  /** Between pieces. */
  readonly paceMs: number
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })

/** A stored stream, told anew: at the reader's pace, and no faster than `paceMs` allows. The signal ends it, whether anybody reads or not. */
export class ReplayedStream implements AsyncIterableIterator<Uint8Array> {
  readonly ended: Promise<ModelEnding>
  readonly #parts: ReplayParts
  #at = 0
  #over = false
  #failure: SwitchyardError | undefined
  #wake: (() => void) | undefined
  readonly #settle: (ending: ModelEnding) => void

  constructor(parts: ReplayParts) {
    this.#parts = parts
    const { promise, resolve } = Promise.withResolvers<ModelEnding>()
    this.ended = promise
    this.#settle = resolve
    if (parts.signal.aborted) this.handleEvent()
    else parts.signal.addEventListener('abort', this)
  }

  handleEvent(): void {
    this.#end(abortReason(this.#parts.signal))
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { templates, values, paceMs } = this.#parts
    if (this.#at > 0 && this.#at < templates.length && paceMs > 0 && !this.#over) await this.#pause(paceMs)
    const template = this.#over ? undefined : templates[this.#at++]
    if (template !== undefined) return { done: false, value: filled(template, values) }
    this.#end(undefined)
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
    return DONE
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#end(new SwitchyardError('ABORTED', 'the reader left before the end'))
    this.#failure = undefined
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.schedule(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  #end(error: SwitchyardError | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#failure = error
    this.#parts.signal.removeEventListener('abort', this)
    const { ending } = this.#parts
    this.#settle(error === undefined ? ending : { ...ending, outcome: outcomeOf(error), error })
    this.#wake?.()
  }
}
