import type { Port } from '@switchyard/contract'

/** A subject opened for one case. Every case gets a fresh one, so cases neither order nor disturb each other. */
export interface Opened<T, F = undefined> {
  readonly instance: T
  /** Epoch ms on the clock that the instance was given. */
  now(): number
  /** Moves that clock: at once on a virtual clock, by waiting where the instance has a clock of its own (a real server). */
  advance(ms: number): Promise<void>
  /** What the suite needs beside the instance, such as the model suite's misbehaving upstream. */
  readonly fixture: F
  close(): Promise<void>
}

/** Opens the implementation under test. */
export interface Subject<T, F = undefined> {
  readonly name: string
  open(): Promise<Opened<T, F>>
}

/** One promise of a port. Ids are permanent: a case may be added or retired, never renamed nor given another meaning. */
export interface ConformanceCase<T, F = undefined> {
  /** `port.operation.promise`, as `cache.set.copies-input`. */
  readonly id: string
  /** The promise, as a sentence. */
  readonly promise: string
  /** Where the promise hangs on a capability: whether this instance declares it. */
  declared?(instance: T): boolean
  /** Throws where the promise is broken. Runs where declared, or where no capability is concerned. */
  check(opened: Opened<T, F>): Promise<void>
  /** Runs where not declared; required with `declared`: shows that the operation rejects `UNSUPPORTED`. */
  undeclared?(opened: Opened<T, F>): Promise<void>
}

/** A deliberately wrong implementation, and the case that must kill it. */
export interface Mutant<T, F = undefined> {
  /** What is wrong with it, in kebab-case: `keeps-caller-buffer`. */
  readonly name: string
  /** Id of the case meant for it. Others may fail too. */
  readonly killedBy: string
  /** Wraps or replaces a right instance. */
  mutate(instance: T, opened: Opened<T, F>): T
}

export interface Suite<T, F = undefined> {
  readonly port: Port<T>
  readonly cases: readonly ConformanceCase<T, F>[]
  /** Judged over a subject that passes the whole suite. Every case is named by at least one mutant. */
  readonly mutants: readonly Mutant<T, F>[]
}
