import { type CostRange, costs } from '@switchyard/budget'
import type { ServerParts } from '../server/http-server.ts'

/** Why the cache calls models of its own accord. */
export const CACHE_PURPOSES: readonly ['refresh', 'audit', 'judge', 'embedding'] = [
  'refresh',
  'audit',
  'judge',
  'embedding',
] as const
type CachePurpose = (typeof CACHE_PURPOSES)[number]

/** What the books say of the cache, over all nodes; pico-USD. */
export interface CacheMoney extends CostRange {
  /** Replies from the cache. */
  readonly hits: number
  /** Hits of unknown price: what they saved is in no sum. */
  readonly unpricedHits: number
  /** What hits would have cost. */
  readonly savedPico: bigint
  /** What the cache's own calls cost, by purpose. */
  readonly spentPico: Readonly<Record<CachePurpose, bigint>>
  /** Own calls whose cost is not known: it is in no sum. */
  readonly unpricedCalls: number
  /** What was saved less what was spent; below 0 where the cache costs more than it saves. */
  readonly netPico: bigint
}

/** Asks the ledger. Undefined where the assembly keeps no books. Rejects as the port `costs` does. */
export async function cacheMoney({ kernel }: ServerParts, { from, to }: CostRange): Promise<CacheMoney | undefined> {
  const [books] = kernel.all(costs).values()
  if (books === undefined) return undefined
  const { total: hits } = await books.report({ from, to, by: [], where: { kind: 'cache' } })
  const own = await books.report({ from, to, by: ['purpose'], where: { purpose: CACHE_PURPOSES } })
  const spentPico = { refresh: 0n, audit: 0n, judge: 0n, embedding: 0n }
  for (const { values, figures } of own.groups) {
    const purpose = CACHE_PURPOSES.find((one) => one === values.purpose)
    if (purpose !== undefined) spentPico[purpose] += figures.costPico
  }
  return {
    from,
    to,
    hits: hits.cacheHits,
    unpricedHits: hits.unpriced,
    savedPico: hits.cacheSavedPico,
    spentPico,
    unpricedCalls: own.total.unpriced,
    netPico: hits.cacheSavedPico - own.total.costPico,
  }
}
