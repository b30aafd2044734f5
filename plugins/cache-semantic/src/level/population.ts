import type { SemanticStanding } from '@switchyard/contract'
import { type AuditedOptions, AuditedPolicy } from '../policy/audited-policy.ts'
import type { Label } from '../policy/label.ts'
import type { Consequence, Verdict } from '../policy/verdict.ts'
import { type Audits, auditsOf, ofAll } from './audits.ts'
import { type GroupLabels, groupLabels, type NamedGroup } from './groups.ts'
import type { Lru } from './lru.ts'
import type { SavedState } from './saved-state.ts'

/** What evidence is pooled over: its policy, and what was counted here since the process began. */
export interface Population {
  readonly name: string
  readonly policy: AuditedPolicy
  readonly groups: GroupLabels
  readonly audits: Audits
  readonly counts: Counts
  learn(verdict: Verdict<NamedGroup>, right: boolean): Consequence<NamedGroup>
  /** A label of another node. */
  learnFrom(label: Label, group: string): void
  standing(): SemanticStanding
}

export interface Counts {
  requests: number
  lookups: number
  hits: number
  /** Labels that came to nothing. */
  dropped: number
  /** Requests whose answer was known already, as far as exact levels, hits and labels tell. */
  repeats: number
}

export interface PopulationParts {
  readonly options: AuditedOptions
  readonly objects: Lru<NamedGroup>
}

const MOST_GROUPS = 10_000
const MOST_AUDITS = 4_000

/** A population with what is known of it. Throws where the saved state is none that the policy can read. */
export function populationOf(name: string, { options, objects }: PopulationParts, saved?: SavedState): Population {
  const policy = new AuditedPolicy(options, saved?.policy)
  const groups = groupLabels(MOST_GROUPS, objects, saved?.groups)
  const audits: Audits = auditsOf(MOST_AUDITS, saved?.audits)
  const counts: Counts = { requests: 0, lookups: 0, hits: 0, dropped: 0, repeats: 0 }
  return {
    name,
    policy,
    groups,
    audits,
    counts,
    learn(verdict, right) {
      if (verdict.serve) audits.add({ right, weight: verdict.weight })
      return policy.learn(verdict, right)
    },
    learnFrom(label, group) {
      groups.learn(group, label.right)
      if (label.audit) audits.add(label)
      policy.learnFrom(label)
    },
    standing() {
      const { requests, lookups, hits, dropped, repeats } = counts
      const errorOfHits = audits.errorOfHits()
      return {
        population: name,
        epsilon: options.epsilon,
        isShadow: policy.cut === undefined,
        cut: policy.cut,
        requests,
        lookups,
        hits,
        labels: policy.labels,
        audits: audits.count,
        failedAudits: audits.failed,
        dropped,
        ceiling: requests === 0 ? undefined : repeats / requests,
        errorOfHits,
        errorOfAll: errorOfHits && requests > 0 ? ofAll(errorOfHits, hits / requests) : undefined,
      }
    },
  }
}
