import { type Clock, SwitchyardError } from '@switchyard/contract'

/** A leader that is not heard of for so long is gone. */
export const LEASE_MS = 2_400
/** How often a leader renews its lease. */
export const BEAT_MS = 800
/** How often a listener looks whether its leader leads, and for what it was not told of. */
export const WATCH_MS = 500
/** A listener that is not heard of for so long is not counted. */
export const LISTENER_MS = 2_000
/** How long a flight can be read behind its end. */
export const KEEP_MS = 10_000
/** Pause before a command is sent again that Redis may have lost. */
const RETRY_MS = 100

/**
 * Repeats what can be repeated until Redis answers, for as long as a leader may be silent. Rejects with what it was told last, and at
 * once with what is no loss of the connection, or once `over()`.
 */
export async function persist<T>(
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  over: () => boolean,
  send: () => Promise<T>,
): Promise<T> {
  const until = clock.monotonic() + LEASE_MS
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!SwitchyardError.is(error, 'UPSTREAM_UNAVAILABLE') || clock.monotonic() >= until || over()) throw error
    }
    await clock.sleep(RETRY_MS)
  }
}
