import type { Clock } from '@switchyard/contract'

/** Asks again where no answer comes. */
export interface Patience {
  /**
   * What a promise comes to, or a rejection where it takes too long: a command that waits for a node which is taken out of its cluster
   * meanwhile is never answered, not even by an error. Each time in a row it may take twice as long, as a slow server is not to be
   * asked more the slower it is.
   */
  wait<T>(work: Promise<T>): Promise<T>
}

const MOST_DOUBLINGS = 6

/** Waits for `ms` at first. */
export function patience(clock: Pick<Clock, 'schedule'>, ms: number): Patience {
  let doublings = 0
  return {
    wait: (work) =>
      new Promise((resolve, reject) => {
        const limitMs = ms * 2 ** doublings
        const cancel = clock.schedule(limitMs, () => {
          doublings = Math.min(doublings + 1, MOST_DOUBLINGS)
          reject(new Error(`no answer within ${limitMs} ms`))
        })
        const end = (settle: () => void): void => {
          cancel()
          doublings = 0
          settle()
        }
        work.then(
          (value) => end(() => resolve(value)),
          (error: unknown) => end(() => reject(error)),
        )
      }),
  }
}
