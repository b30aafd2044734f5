import type { Decision, Trace } from '@switchyard/contract'

const NO_DECISIONS: readonly Decision[] = Object.freeze([])
const NO_MEASURES: ReadonlyMap<string, number> = new Map()

/** A trace that costs one small object until something is noted. A class, because every call makes one. */
export class CallTrace implements Trace {
  private noted: Decision[] | undefined = undefined
  private measured: Map<string, number> | undefined = undefined

  get decisions(): readonly Decision[] {
    return this.noted ?? NO_DECISIONS
  }

  get measures(): ReadonlyMap<string, number> {
    return this.measured ?? NO_MEASURES
  }

  decide(by: string, decision: string, because?: Readonly<Record<string, unknown>>): void {
    this.noted ??= []
    this.noted.push(because === undefined ? { by, decision } : { by, decision, because })
  }

  measure(name: string, value: number): void {
    this.measured ??= new Map()
    this.measured.set(name, (this.measured.get(name) ?? 0) + value)
  }
}
