import { type Clock, SwitchyardError } from '@switchyard/contract'

/** Does what takes a signal; after so long it aborts that and rejects at once, whether or not what is done heeds it. */
export async function within<T>(
  { clock, ms }: { readonly clock: Pick<Clock, 'schedule'>; readonly ms: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const cancel = clock.schedule(ms, () => {
    const error = new SwitchyardError('TIMEOUT', `cache: the store took longer than writeTimeoutMs, ${ms} ms`)
    controller.abort(error)
    reject(error)
  })
  try {
    return await Promise.race([work(controller.signal), late])
  } finally {
    cancel()
  }
}
