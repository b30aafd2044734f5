import { type CallOptions, definePort, type Port } from '@switchyard/contract'

/** What a client says of an answer. */
export interface FeedbackInput {
  readonly tenant: string
  readonly keyId: string
  /** Id of the request, as the gateway's `x-request-id` gave it. */
  readonly requestId: string
  /** 0 to 1. */
  readonly score: number
  /** As the client wrote it; at most 1,000 characters are kept. */
  readonly comment?: string | undefined
}

/** Feedback as it is kept, with what this node knew of the call; null where it knew nothing. */
export interface FeedbackRow {
  readonly tenant: string
  readonly requestId: string
  /** Epoch ms. */
  readonly at: number
  readonly keyId: string
  readonly score: number
  readonly comment: string | null
  readonly route: string | null
  readonly taskClass: string | null
  readonly arm: string | null
  readonly model: string | null
}

/** What clients say of answers. Kept by tenant and request, so that feedback never reaches the call of another tenant. */
export interface Feedback {
  /**
   * Keeps it, in the place of what the same tenant said of the same request before. Rejects `NOT_FOUND` for a request that this node
   * knows to be another tenant's, `UNSUPPORTED` without a database, `INVALID_REQUEST` for a score that is none, and as the port `sql`.
   */
  submit(input: FeedbackInput, options?: CallOptions): Promise<void>
  /** In the order of their ids, those of one tenant behind `after`; at most `limit` (default 1,000). Rejects as `submit`. */
  rows(
    filter: { readonly tenant: string; readonly after?: string; readonly limit?: number },
    options?: CallOptions,
  ): Promise<readonly FeedbackRow[]>
}

export const feedback: Port<Feedback> = definePort<Feedback>('feedback', 1)
