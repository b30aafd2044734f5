import { type Awaitable, type Clock, SwitchyardError } from '@switchyard/contract'

/** Runs `work` and waits for it, but no longer than `ms`: then rejects `TIMEOUT` with `message`, and what comes later is dropped. */
export function bounded<T>(work: () => Awaitable<T>, ms: number, clock: Clock, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => reject(new SwitchyardError('TIMEOUT', message)))
    new Promise<T>((settle) => settle(work())).then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
