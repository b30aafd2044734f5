import { type Clock, SwitchyardError } from '@switchyard/contract'

/** Does what takes a signal, and aborts it after so long. */
export async function within<T>(
  { clock, ms }: { readonly clock: Pick<Clock, 'schedule'>; readonly ms: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const late = new SwitchyardError('TIMEOUT', `cache: the store took longer than writeTimeoutMs, ${ms} ms`)
  const cancel = clock.schedule(ms, () => controller.abort(late))
  try {
    return await work(controller.signal)
  } finally {
    cancel()
  }
}
