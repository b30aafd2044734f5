import type fc from 'fast-check'

/** One step of a model-based test, from a function. `name` is what a counterexample shows. */
export function command<M extends object, R>(
  name: string,
  run: (model: M, real: R) => void,
  check: (model: Readonly<M>) => boolean = () => true,
): fc.Command<M, R> {
  return { check, run, toString: () => name }
}
