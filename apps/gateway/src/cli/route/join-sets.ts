import { type OutcomeSet, withTokens } from '@switchyard/routing/learned'

/** Sets of one reference as one, rows in order. Throws a TypeError where their references differ: a router has one. */
export function joinSets(sets: readonly OutcomeSet[]): OutcomeSet {
  const [first, ...more] = sets as readonly [OutcomeSet, ...OutcomeSet[]]
  for (const { name, spec } of more)
    if (spec.reference !== first.spec.reference)
      throw new TypeError(
        `${first.name} is measured against ${first.spec.reference} and ${name} against ${spec.reference}. Fit them apart, or name one by --reference.`,
      )
  if (more.length === 0) return first
  const settled = sets.map(withTokens)
  return {
    name: sets.map(({ name }) => name).join('+'),
    spec: { ...first.spec, out: undefined },
    rows: settled.flatMap(({ rows }) => rows),
  }
}
