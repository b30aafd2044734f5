import type { KernelEvents, Logger } from '@switchyard/contract'

type EventName = keyof KernelEvents
export type Listener<E extends EventName> = (payload: KernelEvents[E]) => void

/** Tells observers what happened. Nothing that a listener does reaches the one who emits. */
export interface Emitter {
  /** Returns its end; calling that twice does no harm. */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void
  /** Calls the listeners of this emitter, then those of its parent, in order of registration. */
  emit<E extends EventName>(event: E, payload: KernelEvents[E]): void
  /** Whether an `emit` would reach anyone: lets a hot path skip making the payload. */
  heard(event: EventName): boolean
}

/** Makes an emitter whose events also reach `parent`. */
export function createEmitter(log: Logger, parent?: Emitter): Emitter {
  // Replaced on change, never altered: a listener may unsubscribe while its list is being walked.
  const lists = new Map<EventName, readonly Listener<never>[]>()
  const faulty = new WeakSet<Listener<never>>()
  const blame = (event: EventName, listener: Listener<never>, error: unknown): void => {
    if (faulty.has(listener)) return
    faulty.add(listener)
    log.error({ event, error }, 'a listener failed; its further failures are not logged')
  }
  return {
    on: (event, listener) => {
      lists.set(event, [...(lists.get(event) ?? []), listener])
      let listening = true
      return () => {
        if (!listening) return
        listening = false
        const list = lists.get(event) ?? []
        const index = list.indexOf(listener)
        lists.set(event, list.toSpliced(index, 1))
      }
    },
    emit: (event, payload) => {
      for (const listener of (lists.get(event) ?? []) as readonly Listener<typeof event>[]) {
        try {
          const result: unknown = listener(payload)
          if (result instanceof Promise) result.catch((error: unknown) => blame(event, listener, error))
        } catch (error) {
          blame(event, listener, error)
        }
      }
      parent?.emit(event, payload)
    },
    heard: (event) => (lists.get(event)?.length ?? 0) > 0 || (parent?.heard(event) ?? false),
  }
}
