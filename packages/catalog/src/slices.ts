/**
 * Long work that yields wherever it may be interrupted: each step between is short. `rest` says that a longer step follows, before which
 * it had better pause. Its return value is the result.
 */
export type Work<T> = Generator<'rest' | undefined, T, void>

/** How work is cut into slices. */
export interface Slicing {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Lets others run; what it rejects with ends the work. */
  readonly pause: () => Promise<void>
  /** How long a slice may take before it pauses, one short step more at most. Default 5. */
  readonly sliceMs?: number
}

/** Does the work without a break. Throws what it throws. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Does the work in slices, so that it never holds the event loop for long. Rejects with what it throws, or what `pause` rejects with. */
export async function inSlices<T>(work: Work<T>, { now, pause, sliceMs = 5 }: Slicing): Promise<T> {
  let until = now() + sliceMs
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (step.value !== 'rest' && now() < until) continue
    await pause()
    until = now() + sliceMs
  }
}
