import type { Clock } from '@switchyard/contract'

/** Work that goes on between requests. */
export interface Sliced<T> {
  readonly done: Promise<T>
  /** Does the rest at once. */
  hurry(): void
}

/** Runs a generator to its end, a slice at a time, so that the event loop is held for one slice at most. */
export function inSlices<T>(work: Generator<undefined, T>, clock: Pick<Clock, 'schedule'>): Sliced<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let cancel: (() => void) | undefined
  let isOver = false
  const step = (): void => {
    try {
      const { done, value } = work.next()
      if (done !== true) return
      resolve(value)
    } catch (error) {
      reject(error)
    }
    isOver = true
  }
  const later = (): void => {
    cancel = clock.schedule(0, () => {
      step()
      if (!isOver) later()
    })
  }
  later()
  return {
    done: promise,
    hurry() {
      cancel?.()
      while (!isOver) step()
    },
  }
}
