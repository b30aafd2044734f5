import type { Call, Operation, Reply } from '@switchyard/contract'

/** Why a call goes past the cache. Closed: it labels measures, and `explain` shows it. */
export type BypassReason =
  /** The caller said so, or the route. */
  | 'no-store'
  | 'off'
  /** An endpoint or a statement that is never cached. */
  | 'operation'
  | 'many-answers'
  | 'tools'
  | 'content'
  | 'sampling'
  | 'server-state'
  | 'personal'
  | 'too-large'
  | 'upstream-choice'
  | 'tables-unknown'
  | 'not-deterministic'
  /** What was written here is not yet deleted in the store, which is away. */
  | 'store-behind'
  /** A strict read, and a store that cannot tell what was read before a write from what was read after it. */
  | 'store-unfit'
  /** A call of Switchyard's own. */
  | 'own-call'

/** What of a call may be answered by likeness. */
export interface LikenessPlan {
  readonly text: string
  readonly population: string
  readonly earlierTurns: boolean
  readonly shared: boolean
  readonly epsilon: number | undefined
}

/** How a call is looked up, and how long its reply is kept. */
export interface Plan {
  /**
   * Equal for calls that one reply may answer. Holds the tenant and all that a reply depends on, in digests; it ends in one of at least 16
   * characters of base64url behind a colon. Where there is likeness, what is before that is the partition's.
   */
  readonly key: string
  /** Equal for calls that differ in the last user's text alone. */
  readonly partition: string
  /** What beside the key tells apart replies on the wire, such as streamed and whole: calls under way are shared within it. */
  readonly mode: string
  /** Distinct, `EVERYTHING` among them: see `keys/tags.ts`. */
  readonly tags: readonly string[]
  readonly ttlMs: number
  /** How long behind `ttlMs` a reply may be served while it is fetched anew. */
  readonly staleMs: number
  /** Oldest reply that will do; undefined = any that is kept. */
  readonly maxAgeMs: number | undefined
  readonly wish: 'no-cache' | 'only-if-cached' | undefined
  readonly likeness: LikenessPlan | undefined
  /** A reader sees every write that ended before: left alone where the store tells no moments. */
  readonly strict: boolean
}

/** A call that changes what others are answered with. */
export interface WritePlan {
  /** Tags of all that it may change. */
  readonly writes: readonly string[]
}

export interface BypassPlan {
  readonly bypass: BypassReason
  /** The caller wants nothing that is not stored, and this never is. */
  readonly wish?: 'only-if-cached' | undefined
}

/** What is stored of a reply, or why nothing is. */
export type Kept =
  | { readonly payload: Uint8Array /** Catalog id or instance that answered. */; readonly by: string }
  | { readonly refused: string }

/** What the caller is told of a reply from the cache; in headers where the operation has some. */
export interface Marks {
  readonly level: 'l1' | 'l2' | 'l3' | 'stale' | 'coalesced'
  /** Seconds since the reply was made. */
  readonly age: number
  readonly entry: string
  readonly similarity?: number | undefined
  readonly margin?: number | undefined
  readonly probability?: number | undefined
}

/**
 * How calls of one operation are told apart, and their replies kept. A reply travels as frames, of which the first tells what it is and
 * the last how it ended; so it can be shared while it comes, over the fleet too.
 */
export interface Kind<O extends Operation = Operation, R = unknown> {
  readonly operation: O
  /** On the way of every call: quick, and without waiting. Throws `INVALID_REQUEST` for a wish that is none. */
  plan(call: Call<O>): Plan | WritePlan | BypassPlan
  /** Frames of a reply as it comes. Ends where the reply ended well; throws where it broke off. Breaking it off aborts the reply. */
  frames(reply: Reply<O>): AsyncIterable<Uint8Array>
  /**
   * The reply that frames tell of, to this call, once the first was read. Breaking off its body breaks off the frames, and so does the
   * call's signal, whether anybody reads or not.
   */
  assemble(frames: AsyncIterable<Uint8Array>, marks: Marks | undefined, call: Call<O>): Promise<Reply<O>>
  /** What to store of a reply whose frames have all come. */
  keep(call: Call<O>, frames: readonly Uint8Array[]): Kept
  /** Made once of a stored payload and used for many replies. Throws where it is none of ours. `bytes`: what it takes in memory. */
  open(payload: Uint8Array): { readonly ready: R; readonly bytes: number }
  /** A reply to this call from what is stored. */
  answer(ready: R, call: Call<O>, marks: Marks): Reply<O>
  /** The words of it, to compare answers by; undefined where there are none. */
  wordsOf(ready: R): string | undefined
  /** What `plan` looked at, by name, for `explain`; no secret, no text of the request. */
  explain(call: Call<O>): Readonly<Record<string, unknown>>
}
