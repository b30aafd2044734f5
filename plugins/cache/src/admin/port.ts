import { type CallOptions, definePort, type Port, type SemanticStanding } from '@switchyard/contract'
import type { Tally } from '../counts.ts'

/** What is to be invalidated: one tenant's replies, tables of a database, or everything. Exactly one of the three. */
export interface Invalidation {
  /** Whose: all of the tenant's replies that bear one of `tags`, `models` or `prompts`; all of them where none is given. */
  readonly tenant?: string | undefined
  /** Tags that callers gave. */
  readonly tags?: readonly string[] | undefined
  /** Names as callers ask for them. */
  readonly models?: readonly string[] | undefined
  /** Digests of system prompts, as `explain` tells them. */
  readonly prompts?: readonly string[] | undefined
  /** Instance of a database; with `tables`, those alone. */
  readonly target?: string | undefined
  readonly tables?: readonly string[] | undefined
  readonly everything?: true | undefined
}

export interface Invalidated {
  /** As the store knows them. */
  readonly tags: readonly string[]
  /** Stored replies that bear them; undefined where the store cannot tell. One that bears several counts for each. */
  readonly count: number | undefined
  readonly exact: boolean
  readonly dryRun: boolean
}

export interface CacheReport {
  /** By operation; since this node's start. */
  readonly operations: Readonly<Record<string, Tally>>
  readonly near: { readonly entries: number; readonly bytes: number }
  readonly store: {
    readonly isAway: boolean
    readonly failedLookups: number
    readonly failedWrites: number
    readonly malformed: number
    /** Tags whose deletion the store owes. */
    readonly owedDeletions: number
  }
  readonly underWay: number
  readonly ownCalls: { readonly made: number; readonly dropped: number; readonly failed: number }
  readonly likeness: readonly SemanticStanding[]
}

/** What operators do with the cache, and what callers say of its answers. */
export interface CacheAdmin {
  /**
   * Once it resolves, nothing that was stored before is served on any node. `by` is who asks, for the audit event. Rejects `INVALID_REQUEST` for what names
   * nothing or too much, and as the store does: then it may have been done or not, and may be done again.
   */
  invalidate(
    what: Invalidation,
    how: { readonly by: string; readonly dryRun?: boolean | undefined },
    options?: CallOptions,
  ): Promise<Invalidated>
  /** Says that the answer to a call was wrong: what it was served from goes, on every node. False where this node served none from the cache. Rejects as the store does. */
  reject(tenant: string, requestId: string): Promise<boolean>
  report(): CacheReport
}

export const cacheAdmin: Port<CacheAdmin> = definePort<CacheAdmin>('cache-admin', 1)
