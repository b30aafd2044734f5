import type { Alternative, Trace } from '@switchyard/contract'

/** Which alternatives of a call were sent a hedge, so that a fallback does not send them the same again. By its trace, which all copies of a call share. */
export class Tried {
  private readonly byTrace = new WeakMap<Trace, Alternative[]>()

  add(trace: Trace, alternative: Alternative): void {
    const known = this.byTrace.get(trace)
    if (known === undefined) this.byTrace.set(trace, [alternative])
    else known.push(alternative)
  }

  has(trace: Trace, alternative: Alternative): boolean {
    return this.byTrace.get(trace)?.includes(alternative) === true
  }
}
