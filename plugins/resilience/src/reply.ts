import type { Call, Ending, Lasting, Next, Operation, Reply } from '@switchyard/contract'

/** A reply of any operation. */
export type AnyReply = Reply<Operation>

/** The `ended` of a reply that goes on after its promise resolved; undefined where the reply is all there is. */
export function endedOf(reply: AnyReply): Promise<Ending> | undefined {
  const ended = (reply as Partial<Lasting> | null | undefined)?.ended
  return typeof ended?.then === 'function' ? ended : undefined
}

/** `next`, with what it throws before it has made a promise as a rejection. */
export function send(call: Call, next: Next): Promise<AnyReply> {
  try {
    return next(call)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Whether the call's reply is asked for as a stream. */
export function isStreamed(call: Pick<Call, 'request'>): boolean {
  return (call.request as { readonly stream?: unknown } | null | undefined)?.stream === true
}

/** Attempts that were dialled for the call so far, by every guard: the ledger that copies of a call share. */
export function attemptsOf(call: Pick<Call, 'trace'>): number {
  return call.trace.measures.get(ATTEMPTS) ?? 0
}

/** The measure that the innermost policy counts attempts in. */
export const ATTEMPTS = 'attemptCount'
/** The measure of how long attempts waited for a slot, in ms. */
export const QUEUE_WAIT = 'queueWaitMs'
