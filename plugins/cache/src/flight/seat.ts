import type { SwitchyardError } from '@switchyard/contract'
import { abortedBy, fellBehind } from './blame.ts'
import type { Flown, FlyOptions } from './single-flight.ts'

/** Frames of a flight, kept once for all who listen. */
export interface Shelf {
  /** What is kept; the first of them is the frame number `base`. */
  readonly frames: Uint8Array[]
  base: number
  /** Set once no more will come. */
  end: { readonly error: SwitchyardError | undefined } | undefined
  readonly maxBytes: number
}

/** One caller of a flight. */
export interface Seat {
  readonly options: FlyOptions
  readonly flown: Promise<Flown>
  /** Whether it waits for a frame that has not come. */
  hungry(): boolean
  /** Something came: hands it to who waits. */
  wake(role: Flown['role']): void
  /** Ends it with an error, whatever it has read. */
  fail(error: SwitchyardError): void
  /** Takes its hands off the caller's signal, once nothing is waited for any more. */
  settle(): void
}

interface Pull {
  resolve(result: IteratorResult<Uint8Array>): void
  reject(error: SwitchyardError): void
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined }

/**
 * Seats a caller at a shelf. `onLeft` is told once when it leaves before the end: at its signal's abort, as it breaks off, or as it fell
 * behind; `onHungry` when it has read all that there is.
 */
export function seatAt(shelf: Shelf, options: FlyOptions, onLeft: (seat: Seat) => void, onHungry: () => void): Seat {
  const { signal } = options
  let next = shelf.base
  let pull: Pull | undefined
  /** How reading ends from here on; undefined = by the shelf. */
  let out: { readonly error: SwitchyardError | undefined } | undefined
  const boarding = Promise.withResolvers<Flown>()
  let boarded = false

  function leave(error: SwitchyardError | undefined): void {
    if (out !== undefined) return
    out = { error }
    signal.removeEventListener('abort', onAbort)
    const waiting = pull
    pull = undefined
    if (error === undefined) waiting?.resolve(DONE)
    else {
      waiting?.reject(error)
      if (!boarded) boarding.reject(error)
    }
  }

  function quit(error: SwitchyardError | undefined): void {
    if (out !== undefined) return
    leave(error)
    onLeft(seat)
  }

  function onAbort(): void {
    quit(abortedBy(signal))
  }

  /** The next frame or the end, where it is there. */
  function take(): IteratorResult<Uint8Array> | undefined {
    if (next < shelf.base) {
      quit(fellBehind(shelf.maxBytes))
      throw out?.error
    }
    const frame = shelf.frames[next - shelf.base]
    if (frame !== undefined) {
      next += 1
      return { done: false, value: frame }
    }
    if (shelf.end === undefined) return undefined
    const { error } = shelf.end
    leave(undefined)
    if (error !== undefined) throw error
    return DONE
  }

  const iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (out === undefined && signal.aborted) onAbort()
      if (out !== undefined) {
        const { error } = out
        // An error is told once, as generators do.
        out = { error: undefined }
        if (error !== undefined) throw error
        return DONE
      }
      const taken = take()
      if (taken !== undefined) return taken
      return new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        pull = { resolve, reject }
        onHungry()
      })
    },
    async return() {
      quit(undefined)
      out = { error: undefined }
      return DONE
    },
  }

  function serve(waiting: Pull): void {
    pull = undefined
    try {
      const taken = take()
      if (taken === undefined) pull = waiting
      else waiting.resolve(taken)
    } catch (error) {
      waiting.reject(error as SwitchyardError)
    }
  }

  const seat: Seat = {
    options,
    flown: boarding.promise,
    hungry: () => pull !== undefined,
    wake(role) {
      if (pull !== undefined) return serve(pull)
      if (boarded || out !== undefined) return
      const nothing = shelf.frames.length === 0 && shelf.base === 0
      if (nothing && shelf.end?.error !== undefined) return leave(shelf.end.error)
      boarded = true
      boarding.resolve({ role, frames: iterator })
    },
    fail: leave,
    settle: () => signal.removeEventListener('abort', onAbort),
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return seat
}
