import type { Call } from '../call.ts'
import type { Next } from '../policy.ts'
import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/** The last user turn of a call whose other parts are equal within the partition. */
export interface SemanticQuestion {
  readonly call: Call<'model.invoke'>
  /** Opaque: everything of the request but the text, with tenant, scope, model and versions. Nothing is shared between partitions. */
  readonly partition: string
  /** What evidence of right and wrong answers is pooled over: a tenant's route. */
  readonly population: string
  readonly text: string
  /** There are turns before it that it may point back at. */
  readonly earlierTurns: boolean
  /** Answers are shared by more than one user. */
  readonly shared: boolean
  /** Share of wrong answers that is allowed, in [0, 1): it tightens the level's own bound for this call. */
  readonly epsilon?: number | undefined
  /** For calls of the level's own: to embed, to judge. They are booked to the call's principal. */
  readonly next: Next<'model.invoke'>
  /** The words of a stored answer; undefined where it is gone. */
  answerOf(key: string): Promise<string | undefined>
}

/** An answer that came from upstream and was stored. */
export interface FreshAnswer {
  /** Under which `answerOf` gives it. */
  readonly key: string
  readonly answer: string
  /** Epoch ms. */
  readonly expiresAt: number
}

export interface SemanticFinding {
  readonly outcome: 'hit' | 'miss' | 'bypass'
  /** Why it was not looked up, or why the nearest may not serve. */
  readonly reason?: string | undefined
  /** Of the stored answer that may serve; with a hit only. */
  readonly key?: string | undefined
  /** Cosine of the nearest, in [-1, 1], its lead over the next other answer, and the probability that it would do. */
  readonly similarity?: number | undefined
  readonly margin?: number | undefined
  readonly probability?: number | undefined
  /** A hit that is to be sent upstream too, so that it is known whether it was right. */
  readonly audit: boolean
  /** To be called once: with the fresh answer of a miss or an audit, or with nothing where there is none. Never throws. */
  settle(fresh: FreshAnswer | undefined): void
  /** Says that the answer of a hit is no longer stored: it was not served. `settle` may follow, with what was answered instead. */
  gone(): void
}

/** How a population stands. */
export interface SemanticStanding {
  readonly population: string
  readonly epsilon: number
  /** Nothing is served: there is no evidence yet, or none any more. */
  readonly isShadow: boolean
  /** Lowest probability that is served; undefined in shadow mode. */
  readonly cut: number | undefined
  readonly requests: number
  readonly lookups: number
  readonly hits: number
  readonly labels: number
  readonly audits: number
  readonly failedAudits: number
  /** Labels that were asked for and came to nothing: no room, no budget, no time, or words that are no judgement. */
  readonly dropped: number
  /** Share of the requests whose answer was known already, as far as labels tell: what hits can come to. Undefined before the first request. */
  readonly ceiling: number | undefined
  /** Of all requests and of hits, as audits say, with the Wilson interval of 95 %; undefined before the first audit. */
  readonly errorOfAll: { readonly share: number; readonly low: number; readonly high: number } | undefined
  readonly errorOfHits: { readonly share: number; readonly low: number; readonly high: number } | undefined
}

/** Finds stored answers to questions that were asked before in other words. */
export interface SemanticCache {
  /** Never rejects for a failure of its own: that is a `bypass`. Rejects where the signal aborts. */
  find(question: SemanticQuestion, options?: CallOptions): Promise<SemanticFinding>
  /** Counts a request that was answered without it. */
  counted(population: string): void
  /** Takes a stored answer out of the index, on every node: it was served wrongly. `question`: the text that it was wrong for, where known. */
  reject(wrong: {
    readonly partition: string
    readonly population: string
    readonly key: string
    readonly question?: string
  }): Promise<void>
  standings(): readonly SemanticStanding[]
}

export const semanticCache: Port<SemanticCache> = definePort<SemanticCache>('semantic-cache', 1)
