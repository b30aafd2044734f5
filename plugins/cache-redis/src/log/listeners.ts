import type { Logger } from '@switchyard/contract'
import type { LogEvent } from './events.ts'
import type { LogId } from './ids.ts'

/** Who is told of the log. */
export interface LogListener {
  event(event: LogEvent): void
  /** Events up to this position may be missing here. Told before any later event. */
  gap?(position: LogId): void
}

/** Those who listen, by type of event. */
export interface Listeners {
  add(types: readonly string[], listener: LogListener): () => void
  tell(event: LogEvent): void
  tellGap(position: LogId): void
  clear(): void
}

/** Nobody listens yet. What a listener throws is logged. */
export function logListeners(log: Pick<Logger, 'error'>): Listeners {
  const byType = new Map<string, Set<LogListener>>()

  function guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      log.error({ error }, 'a listener of the log failed')
    }
  }

  return {
    add(types, listener) {
      for (const type of types) byType.set(type, (byType.get(type) ?? new Set()).add(listener))
      return () => {
        for (const type of types) byType.get(type)?.delete(listener)
      }
    },
    tell(event) {
      for (const listener of byType.get(event.type) ?? []) guarded(() => listener.event(event))
    },
    tellGap(position) {
      for (const listener of new Set([...byType.values()].flatMap((some) => [...some]))) guarded(() => listener.gap?.(position))
    },
    clear: () => byType.clear(),
  }
}
