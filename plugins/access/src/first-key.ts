import type { Clock, Logger } from '@switchyard/contract'

/** Whether there is any key yet. Once there was one there always is: revoking the last must not open what it closed. */
export interface FirstKey {
  /** Looks now, and while there is none at each interval: another process may make it. */
  start(): Promise<void>
  exists(): boolean
  /** One was made here, or heard of. */
  made(): void
  close(): void
}

export interface FirstKeyParts {
  readonly any: () => Promise<boolean>
  readonly intervalMs: number
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn'>
}

/** @see FirstKey */
export function watchFirstKey({ any, intervalMs, clock, log }: FirstKeyParts): FirstKey {
  let there = false
  let closed = false
  let cancel: (() => void) | undefined
  let failing = false

  async function look(): Promise<void> {
    try {
      there ||= await any()
      failing = false
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'whether there are keys cannot be read just now')
      failing = true
    }
    if (!there && !closed) cancel = clock.schedule(intervalMs, () => void look())
  }

  return {
    async start() {
      there = await any()
      if (!there && !closed) cancel = clock.schedule(intervalMs, () => void look())
    },
    exists: () => there,
    made() {
      there = true
      cancel?.()
    },
    close() {
      closed = true
      cancel?.()
    },
  }
}
