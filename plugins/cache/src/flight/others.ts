import type { Clock } from '@switchyard/contract'
import type { Outbox } from './outbox.ts'

/** How often a leader without listeners here asks whether other nodes still have some. */
const ASK_MS = 1_000

/** Asks at once and then each second whether somebody listens at another node, and calls `none` once nobody does. Returns what ends it. */
export function whenNobodyListens(outbox: Outbox, clock: Pick<Clock, 'schedule'>, none: () => void): () => void {
  let asking = true
  let cancel = (): void => {}

  async function ask(): Promise<void> {
    const count = await outbox.listeners()
    if (!asking) return
    if (count === 0) none()
    else cancel = clock.schedule(ASK_MS, () => void ask())
  }

  void ask()
  return () => {
    asking = false
    cancel()
  }
}
