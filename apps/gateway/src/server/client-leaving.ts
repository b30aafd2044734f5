import { SwitchyardError } from '@switchyard/contract'
import type { CallerSignal } from '@switchyard/kernel'

interface Listener {
  handleEvent(): void
}

/** The leaving of one client, told to the one call that is made for it. What an AbortSignal would cost is saved on every request. */
export class ClientLeaving implements CallerSignal {
  #listener: Listener | undefined
  #reason: SwitchyardError | undefined

  get aborted(): boolean {
    return this.#reason !== undefined
  }

  /** `ABORTED`, once the client has left. */
  get reason(): SwitchyardError | undefined {
    return this.#reason
  }

  /** Takes one listener at a time: a request makes one call. */
  addEventListener(_type: 'abort', listener: Listener): void {
    this.#listener = listener
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined
  }

  /** The client is gone. Once. */
  leave(): void {
    if (this.#reason !== undefined) return
    this.#reason = new SwitchyardError('ABORTED', 'the client left')
    this.#listener?.handleEvent()
  }
}
