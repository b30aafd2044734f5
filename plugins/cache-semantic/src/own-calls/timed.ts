import { type Clock, SwitchyardError } from '@switchyard/contract'

/** How long a piece of work may take. */
export interface Limit {
  readonly clock: Pick<Clock, 'schedule'>
  readonly ms: number
  /** For the message: `the embedding`. */
  readonly what: string
  /** Of whoever waits. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What the work gives. Rejects `TIMEOUT` after `ms`, and with the reason of `signal` once it aborts, whether or not the work heeds the
 * signal it was given, which aborts then.
 */
export async function timed<T>(work: (signal: AbortSignal) => Promise<T>, { clock, ms, what, signal }: Limit): Promise<T> {
  if (signal?.aborted === true) throw abortReason(signal)
  const controller = new AbortController()
  let stop: (reason: unknown) => void = ignore
  const stopped = new Promise<never>((_, reject) => {
    stop = (reason) => {
      controller.abort(reason)
      reject(reason)
    }
  })
  const onAbort = (): void => stop(abortReason(signal as AbortSignal))
  const cancel = clock.schedule(ms, () => stop(new SwitchyardError('TIMEOUT', `${what} took longer than ${ms} ms`)))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(controller.signal), stopped])
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** The reason of an aborted signal, as errors of this house are. */
export function abortReason(signal: AbortSignal): SwitchyardError {
  const { reason } = signal
  return SwitchyardError.is(reason) ? reason : new SwitchyardError('ABORTED', 'the call was aborted', { cause: reason })
}

/** Asked anew each time, since it changes while one waits. */
export function isAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true
}

/** For promises that nobody waits for any more. */
export function ignore(): void {}
