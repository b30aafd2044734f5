import type { Decision, Trace } from './call.ts'

/** A trace that belongs to no client: for calls that a policy makes of its own accord. */
export function quietTrace(): Trace {
  const decisions: Decision[] = []
  const measures = new Map<string, number>()
  return {
    decisions,
    measures,
    decide(by, decision, because) {
      decisions.push(because === undefined ? { by, decision } : { by, decision, because })
    },
    measure(name, value) {
      measures.set(name, (measures.get(name) ?? 0) + value)
    },
  }
}
