import type { Health, TargetHealth } from '@switchyard/contract'
import type { Mutant, Opened } from '../../conformance/suite.ts'

/** A mutant that does what the right one does, but for `change`. */
export function mutant(
  name: string,
  killedBy: string,
  change: (right: Health, opened: Opened<Health>) => Partial<Health>,
): Mutant<Health> {
  return {
    name,
    killedBy,
    mutate: (right, opened) => ({
      capabilities: right.capabilities,
      of: (deployment) => right.of(deployment),
      list: () => right.list(),
      history: (deployment) => right.history(deployment),
      disable: (deployment, given) => right.disable(deployment, given),
      enable: (deployment, given) => right.enable(deployment, given),
      ...change(right, opened),
    }),
  }
}

/** Tells something else of each deployment than is known. */
export function tells(right: Health, changed: (known: TargetHealth) => TargetHealth): Partial<Health> {
  return { of: (deployment) => changed(right.of(deployment)), list: () => right.list().map(changed) }
}
