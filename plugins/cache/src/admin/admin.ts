import {
  type Cache,
  type KernelEvents,
  type Logger,
  type Operation,
  type SemanticCache,
  SwitchyardError,
} from '@switchyard/contract'
import type { Counts } from '../counts.ts'
import type { SingleFlight } from '../flight/single-flight.ts'
import { EVERYTHING, tableTag, tagName, tenantTag } from '../keys/tags.ts'
import type { NearLevel } from '../levels/near.ts'
import type { StoreLevel } from '../levels/store.ts'
import type { OwnCalls } from '../own-calls.ts'
import type { Served } from '../served.ts'
import type { Writes } from '../writes.ts'
import type { CacheAdmin, Invalidation } from './port.ts'

export interface AdminParts {
  readonly cache: Cache
  readonly near: NearLevel
  readonly store: StoreLevel
  readonly flight: SingleFlight
  readonly semantic: SemanticCache | undefined
  readonly own: OwnCalls
  readonly writes: Writes
  readonly served: Served
  readonly counts: ReadonlyMap<Operation, Counts>
  readonly log: Pick<Logger, 'info'>
  readonly emit: <E extends 'cache:invalidated' | 'cache:rejected'>(event: E, payload: KernelEvents[E]) => void
}

/** The port `cache-admin` of one instance. */
export function adminOf(parts: AdminParts): CacheAdmin {
  const { cache, near, store, flight, semantic, own, writes, served, counts, log, emit } = parts

  async function countOf(tags: readonly string[]): Promise<{ readonly count: number | undefined; readonly exact: boolean }> {
    if (cache.countByTag === undefined) return { count: undefined, exact: false }
    let count = 0
    let exact = true
    for (const tag of tags) {
      const counted = await cache.countByTag(tag)
      count += counted.count
      exact &&= counted.exact
    }
    return { count, exact }
  }

  return {
    async invalidate(what, { by, dryRun = false }, options) {
      const tags = tagsOf(what)
      if (!cache.capabilities.tags)
        throw new SwitchyardError(
          'UNSUPPORTED',
          'cache: the store of this assembly knows no tags: nothing can be invalidated there',
        )
      const { count, exact } = await countOf(tags)
      if (dryRun) return { tags, count, exact, dryRun }
      for (const tag of tags) await cache.deleteByTag(tag, options)
      log.info({ by, tenant: what.tenant, tags, count, exact }, 'stored replies were invalidated')
      emit('cache:invalidated', { by, tenant: what.tenant, tags, count, exact })
      return { tags, count, exact, dryRun }
    },

    async reject(tenant, requestId) {
      const reply = served.find(tenant, requestId)
      if (reply === undefined) return false
      const { level, key, partition, population, text } = reply
      if (level === 'l3' && semantic !== undefined && population !== undefined)
        await semantic.reject({ partition, population, key, ...(text !== undefined && { question: text }) })
      else await cache.delete(key)
      served.forget(tenant, requestId)
      emit('cache:rejected', { tenant, requestId, level })
      return true
    },

    report: () => ({
      operations: Object.fromEntries([...counts].map(([operation, one]) => [operation, one.tally])),
      near: { entries: near.entries, bytes: near.bytes },
      store: {
        isAway: store.isAway(),
        failedLookups: store.failures.lookups,
        failedWrites: store.failures.writes,
        malformed: store.failures.malformed,
        owedDeletions: writes.behind,
      },
      underWay: flight.underWay,
      ownCalls: { ...own.counts },
      likeness: semantic?.standings() ?? [],
    }),
  }
}

const MOST_TAGS = 100

function tagsOf({ tenant, tags, models, prompts, target, tables, everything }: Invalidation): readonly string[] {
  const whose = [tenant, target, everything].filter((one) => one !== undefined)
  if (whose.length !== 1)
    throw invalid('tenant', 'one of tenant, target and everything is to be given: whose replies are to be invalidated')
  if (everything) return [EVERYTHING]
  if (target !== undefined) {
    if (target === '') throw invalid('target', 'it is empty')
    return bounded(tables === undefined ? [tableTag(target)] : tables.map((table) => tableTag(target, table.toLowerCase())))
  }
  if (tenant === undefined || tenant === '') throw invalid('tenant', 'it is empty')
  if (tables !== undefined) throw invalid('tables', 'tables go with target, not with tenant')
  if (tags === undefined && models === undefined && prompts === undefined) return [tenantTag(tenant)]
  const named = [
    ...(tags ?? []).map((tag) => tagName('tag', tag)),
    ...(models ?? []).map((model) => tagName('model', model)),
    ...(prompts ?? []).map((prompt) => tagName('prompt', prompt)),
  ]
  return bounded(named.map((tag) => tenantTag(tenant, tag)))
}

function bounded(tags: readonly string[]): readonly string[] {
  if (tags.length === 0) throw invalid('tags', 'the list is empty: name something, or leave the list out for all')
  if (tags.length > MOST_TAGS) throw invalid('tags', `${tags.length} are more than the ${MOST_TAGS} that one call takes`)
  return [...new Set(tags)]
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `cache: ${param}: ${what}`, { details: { param } })
}
