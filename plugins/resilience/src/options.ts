import { z } from 'zod'

/** How long a call may take; what is left out has a default, see README. */
export interface DeadlineInput {
  readonly totalMs?: number | false | undefined
}

/** Whether and when a failed call is sent again; what is left out has a default, see README. */
export interface RetryInput {
  readonly maxAttempts?: number | undefined
  readonly backoffBaseMs?: number | undefined
  readonly backoffMaxMs?: number | undefined
  readonly retryAfterMaxMs?: number | undefined
}

/** Both, for one operation. */
export interface OperationInput {
  readonly deadline?: DeadlineInput | undefined
  readonly retry?: RetryInput | undefined
}

/** What `resilience({ ... })` takes; all of it may be left out. */
export interface ResilienceInput extends OperationInput {
  readonly operations?: Readonly<Record<string, OperationInput>> | undefined
}

/** Options as validated. */
export interface ResilienceOptions {
  readonly deadline: DeadlineInput
  readonly retry: RetryInput
  readonly operations: Readonly<Record<string, OperationInput>>
}

/** The longest delay that a timer of Node carries. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const wait = z.int().min(0).max(LONGEST_TIMER_MS).optional()

const deadline = z.strictObject({
  totalMs: z
    .union([z.literal(false), z.int().min(1).max(LONGEST_TIMER_MS)])
    .optional()
    .describe('From the start of the call at its target to its last byte, all retries included. false = no limit of our own.'),
})

const retry = z.strictObject({
  maxAttempts: z.int().min(1).max(20).optional().describe('Attempts at one target, the first one included. 1 = never repeat.'),
  backoffBaseMs: wait.describe('Upper bound of the wait before the second attempt; it doubles with each further one.'),
  backoffMaxMs: wait.describe('Upper bound of any wait that is ours to choose.'),
  retryAfterMaxMs: wait.describe('Longest wait that the other side may ask for; above it the error is passed on at once.'),
})

const operation = z.strictObject({ deadline: deadline.optional(), retry: retry.optional() })

/** The schema of the options. Strict: an unknown key is an error. */
export const resilienceOptions: z.ZodType<ResilienceOptions, ResilienceInput> = z.strictObject({
  deadline: deadline.default({}).describe('How long a call may take.'),
  retry: retry.default({}).describe('Whether and when a failed call is sent again.'),
  operations: z
    .record(z.string().regex(/^[^.\s]+\.[^.\s]+$/, 'an operation is named noun.verb, such as sql.query'), operation)
    .default({})
    .describe('The same two for one operation. What is given here wins over what is given above, field by field.'),
})
