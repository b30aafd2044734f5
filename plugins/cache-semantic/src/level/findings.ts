import type { SemanticFinding } from '@switchyard/contract'
import { ignore } from '../own-calls/timed.ts'
import type { Ranked } from '../policy/ranking.ts'
import type { NamedGroup } from './groups.ts'
import type { Learning } from './learning.ts'
import type { Bypass, Looked, Miss } from './looked.ts'

/** A question that is left alone, before and after. */
export function bypassed(reason: Bypass): SemanticFinding {
  return { outcome: 'bypass', reason, audit: false, settle: ignore, gone: ignore }
}

/** The vector was not there in time: not looked up, and indexed once it is. */
export function late(looked: Looked, learning: Learning): SemanticFinding {
  return { ...bypassed('embedder'), settle: settling(() => looked, learning) }
}

/** Nothing may be served. */
export function missed(looked: Looked, learning: Learning): SemanticFinding {
  const { verdict } = looked
  return {
    outcome: 'miss',
    reason: reasonOf(looked),
    similarity: verdict?.candidate?.similarity,
    margin: verdict?.candidate && verdict.margin,
    probability: verdict?.probability,
    audit: false,
    settle: settling(() => looked, learning),
    gone: ignore,
  }
}

/** The candidate may be served. */
export function hit(
  looked: Looked,
  candidate: Ranked<NamedGroup>,
  { learning, mayAudit }: { readonly learning: Learning; readonly mayAudit: boolean },
): SemanticFinding {
  const { verdict, where, population } = looked
  // An answer that nobody can judge would be paid for in vain.
  const audit = verdict?.ask === 'audit' && mayAudit
  if (verdict?.ask === 'audit' && !mayAudit) population.counts.dropped += 1
  let after: Looked = audit ? looked : { ...looked, verdict: undefined }
  let isServed = true
  const notServed = (): void => {
    if (!isServed) return
    isServed = false
    population.counts.hits -= 1
    population.counts.repeats -= 1
  }
  const settle = settling(() => after, learning)
  return {
    outcome: 'hit',
    key: String(candidate.id),
    similarity: candidate.similarity,
    margin: verdict?.margin,
    probability: verdict?.probability,
    audit,
    settle(fresh) {
      // Without an audit, an answer of its own says that the stored one was not good enough for the call: too old, as it may be.
      if (fresh !== undefined && !audit) notServed()
      settle(fresh)
    },
    gone() {
      if (!isServed) return
      notServed()
      after = { ...looked, verdict: undefined }
      learning.forget(where, [String(candidate.id)])
    },
  }
}

/** Once, and what is asked of it then decides. */
function settling(looked: () => Looked, learning: Learning): SemanticFinding['settle'] {
  let settled = false
  return (fresh) => {
    if (settled) return
    settled = true
    const of = looked()
    if (fresh !== undefined) return learning.take(of, fresh)
    if (of.verdict?.ask !== 'audit') return
    of.population.counts.dropped += 1
    of.population.policy.lost(of.verdict)
  }
}

function reasonOf({ verdict, population }: Looked): Miss {
  if (verdict === undefined) return 'nothing-near'
  if (verdict.candidate === undefined) return verdict.veto ?? 'nothing-near'
  return population.policy.cut === undefined ? 'shadow' : 'below-cut'
}
