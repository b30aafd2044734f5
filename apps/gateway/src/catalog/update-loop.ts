import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import type { FeedKeeper } from './feed-keeper.ts'

export interface UpdateLoopParts {
  readonly keepers: readonly FeedKeeper[]
  /** Called after a round that brought new content; what it rejects with is logged. */
  readonly changed: () => Promise<void>
  readonly intervalMs: number
  readonly clock: Pick<Clock, 'sleep'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Logger
}

/** Asks every feed at once and then at each interval, ± 10 % so that nodes spread. Returns its end, which waits for the round at work. */
export function updateLoop({ keepers, changed, intervalMs, clock, random, log }: UpdateLoopParts): () => Promise<void> {
  const stop = new AbortController()
  const { signal } = stop

  async function round(): Promise<void> {
    let news = false
    for (const keeper of keepers) {
      news = (await keeper.refresh(signal)) || news
      const { feed, error, ageMs, failures } = keeper.status()
      if (error !== undefined) log.warn({ feed, failures, ageMs, reason: error }, 'catalog feed failed, the last good stays')
    }
    if (news) await changed()
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await round().catch((error: unknown) => {
        if (!signal.aborted && !SwitchyardError.is(error, 'CLOSED'))
          log.error({ err: error }, 'catalog not updated, the present one stays')
      })
      await clock.sleep(intervalMs * (0.9 + 0.2 * random()), signal).catch(() => {})
    }
  }

  const ended = run()
  return () => {
    stop.abort(new SwitchyardError('CLOSED', 'the catalog is closed'))
    return ended
  }
}
