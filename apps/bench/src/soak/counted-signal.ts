/** Listeners that are on signals now, of all that were ever counted. */
export interface ListenerCount {
  readonly on: () => number
  readonly off: () => void
}

/**
 * Counts the abort listeners of every signal of this process from now on, by wrapping what adds and removes them; a listener that is to
 * run once is no longer on once its signal has aborted. `off` takes the wrapping away.
 */
export function countListeners(): ListenerCount {
  const { addEventListener, removeEventListener } = AbortSignal.prototype
  const held = new WeakMap<AbortSignal, Set<unknown>>()
  let on = 0
  AbortSignal.prototype.addEventListener = function (this: AbortSignal, ...args: Parameters<typeof addEventListener>) {
    if (args[0] === 'abort' && !this.aborted) {
      let listeners = held.get(this)
      if (listeners === undefined) {
        listeners = new Set()
        held.set(this, listeners)
        const all = listeners
        // Whoever listens to what has aborted hears nothing more: it is as if it had left.
        addEventListener.call(
          this,
          'abort',
          () => {
            on -= all.size
            all.clear()
          },
          { once: true },
        )
      }
      if (!listeners.has(args[1])) {
        listeners.add(args[1])
        on++
      }
    }
    return addEventListener.apply(this, args)
  } as typeof addEventListener
  AbortSignal.prototype.removeEventListener = function (this: AbortSignal, ...args: Parameters<typeof removeEventListener>) {
    if (args[0] === 'abort' && held.get(this)?.delete(args[1]) === true) on--
    return removeEventListener.apply(this, args)
  } as typeof removeEventListener
  return {
    on: () => on,
    off: () => Object.assign(AbortSignal.prototype, { addEventListener, removeEventListener }),
  }
}
