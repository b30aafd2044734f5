import type { Clock } from '@switchyard/contract'

/** Runs a task again and again, so long after its last end, spread by a tenth so that nodes do not march in step. Returns its end. */
export function repeat(
  ms: number,
  task: () => Promise<unknown>,
  { clock, random }: { readonly clock: Pick<Clock, 'schedule'>; readonly random: () => number },
): () => void {
  let ended = false
  let cancel = (): void => {}
  const arm = (): void => {
    if (!ended) cancel = clock.schedule(ms * (0.95 + random() / 10), run)
  }
  const run = (): void => {
    task().then(arm, arm)
  }
  arm()
  return () => {
    ended = true
    cancel()
  }
}
