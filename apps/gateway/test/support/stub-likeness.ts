import { definePlugin, type Plugin, type SemanticCache, type SemanticStanding, semanticCache } from '@switchyard/contract'
import { z } from 'zod'

export interface StubLikeness {
  readonly plugin: Plugin
  /** What was taken out. */
  readonly rejected: readonly Parameters<SemanticCache['reject']>[0][]
  /** Fresh answers of audits. */
  readonly audited: readonly (string | undefined)[]
}

const STANDING: SemanticStanding = {
  population: 'acme|all\u001b[2J',
  epsilon: 0.01,
  isShadow: false,
  cut: 0.912,
  requests: 200,
  lookups: 150,
  hits: 50,
  labels: 120,
  audits: 40,
  failedAudits: 1,
  dropped: 3,
  ceiling: 0.5,
  errorOfAll: { share: 0.00625, low: 0.001, high: 0.03 },
  errorOfHits: { share: 0.025, low: 0.0044, high: 0.1288 },
}

/** Takes every question for the last one that was answered, audits each hit, and stands as it always did. */
export function stubLikeness(): StubLikeness {
  const rejected: Parameters<SemanticCache['reject']>[0][] = []
  const audited: (string | undefined)[] = []
  let last: string | undefined
  const port: SemanticCache = {
    find: async () => {
      const found = last === undefined ? undefined : { similarity: 0.9, margin: 0.05, probability: 0.8, key: last }
      return {
        ...found,
        outcome: found === undefined ? 'miss' : 'hit',
        audit: found !== undefined,
        settle(fresh) {
          if (found !== undefined) audited.push(fresh?.answer)
          else last = fresh?.key
        },
        gone() {
          last = undefined
        },
      }
    },
    counted: () => {},
    reject: async (wrong) => {
      rejected.push(wrong)
      last = undefined
    },
    standings: () => [STANDING],
  }
  const factory = definePlugin({
    name: 'likeness',
    contract: 1,
    options: z.strictObject({}),
    provides: { semanticCache },
    setup: () => ({ ports: { semanticCache: port } }),
  })
  return { plugin: factory() as Plugin, rejected, audited }
}
