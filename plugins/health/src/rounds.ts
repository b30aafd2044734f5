import type { Clock } from '@switchyard/contract'

/** Work that is done again and again while there is some. */
export interface Rounds {
  /** Sees to it that a round comes. Costs a comparison where one is due already. */
  wake(): void
  stop(): void
}

/** Does `work` every `everyMs` from a `wake` on, until it says that nothing is left to do: an idle process has no timer. */
export function startRounds(
  clock: Pick<Clock, 'schedule' | 'monotonic'>,
  everyMs: number,
  work: (now: number) => boolean,
): Rounds {
  let cancel: (() => void) | undefined
  let stopped = false

  function arm(): void {
    cancel = clock.schedule(everyMs, round)
  }

  function round(): void {
    cancel = undefined
    let more = true
    try {
      more = work(clock.monotonic())
    } finally {
      if (more && !stopped && cancel === undefined) arm()
    }
  }

  return {
    wake() {
      if (cancel === undefined && !stopped) arm()
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
