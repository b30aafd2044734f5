import type { Clock } from '@switchyard/contract'

/**
 * What a promise comes to, or a rejection after `ms`: a command that waits for a node which is taken out of its cluster meanwhile is
 * never answered, not even by an error.
 */
export function within<T>(clock: Pick<Clock, 'schedule'>, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => reject(new Error(`no answer within ${ms} ms`)))
    work.then(
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
