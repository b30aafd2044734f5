import type { Alternative, Trace } from '@switchyard/contract'

/**
 * Where the hedge of a call was sent: at most one a call, and a fallback does not go there again. By the call's trace, which all its
 * copies share.
 */
export class Hedges {
  private readonly byTrace = new WeakMap<Trace, Alternative>()

  set(trace: Trace, alternative: Alternative): void {
    this.byTrace.set(trace, alternative)
  }

  of(trace: Trace): Alternative | undefined {
    return this.byTrace.get(trace)
  }
}
