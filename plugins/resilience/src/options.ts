import { z } from 'zod'
import type { Settings } from './settings.ts'
import { type PressureSettings, pressureOptions } from './shed/pressure-options.ts'

/** Settings of which any may be left out; what is has a default, see README. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** The groups of settings, for one operation or for all. */
export type OperationInput = { readonly [G in keyof Settings]?: Given<Settings[G]> | undefined }

/** How nodes hear of each other's breakers, where the assembly has a bus. */
export interface FleetSettings {
  /** Of the bus; the same at all nodes. */
  readonly topic: string
  /** No word of another node is believed for longer. */
  readonly hintMs: number
}

/** What `resilience({ ... })` takes; all of it may be left out. */
export interface ResilienceInput extends OperationInput {
  readonly pressure?: Given<PressureSettings> | undefined
  readonly fleet?: Given<FleetSettings> | undefined
  readonly operations?: Readonly<Record<string, OperationInput>> | undefined
}

/** Options as validated. */
export interface ResilienceOptions extends OperationInput {
  readonly pressure: PressureSettings
  readonly fleet: FleetSettings
  readonly operations: Readonly<Record<string, OperationInput>>
}

/** The longest delay that a timer of Node carries. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const wait = z.int().min(0).max(LONGEST_TIMER_MS).optional()
const limit = z.union([z.literal(false), z.int().min(1).max(LONGEST_TIMER_MS)]).optional()
const count = (min: number, max: number) => z.int().min(min).max(max).optional()
const time = z.int().min(1).max(LONGEST_TIMER_MS).optional()
const share = z.number().gt(0).max(1).optional()
const flag = z.boolean().optional()

const groups = {
  deadline: z
    .strictObject({
      totalMs: limit.describe(
        'From the admission of a call to its last byte, all attempts included. false = no limit of our own.',
      ),
    })
    .optional()
    .describe('How long a call may take.'),
  attempts: z
    .strictObject({
      maxAttempts: count(1, 20).describe('Attempts of one call in all: first ones, retries, fallbacks and hedges.'),
      streamFirstMs: limit.describe('From dialling to the first content of a streamed reply. false = no limit of our own.'),
      wholeReplyMs: limit.describe('From dialling to a reply that is not streamed. false = the deadline alone.'),
      lateFactor: z
        .union([z.literal(false), z.number().gt(1).max(1_000)])
        .optional()
        .describe(
          'Times the 95th percentile of a target after which an attempt is given up for another target, where none that began later was answered. false = never.',
        ),
      lateMinMs: wait.describe('But not before this.'),
    })
    .optional()
    .describe('What bounds the attempts of a call.'),
  retry: z
    .strictObject({
      maxAttempts: count(1, 20).describe('Attempts at one target, the first one included. 1 = never repeat.'),
      backoffBaseMs: wait.describe('Upper bound of the wait before the second attempt; it doubles with each further one.'),
      backoffMaxMs: wait.describe('Upper bound of any wait that is ours to choose.'),
      retryAfterMaxMs: wait.describe(
        'Longest wait that the other side may ask for; above it the next target is tried at once.',
      ),
      budgetRatio: z
        .number()
        .min(0)
        .max(10)
        .optional()
        .describe('Retries that each first attempt pays for, at its target and for its tenant.'),
      budgetFloor: z
        .number()
        .min(0)
        .max(10_000)
        .optional()
        .describe('Retries a second, a target and a tenant, that need no payment.'),
    })
    .optional()
    .describe('Whether and when a failed call is sent again to the same target.'),
  fallback: z
    .strictObject({
      enabled: flag.describe('Try the alternatives of a call in their order until one serves.'),
      onContentRefused: flag.describe('Also where a provider refused the content of the request or of its answer.'),
    })
    .optional()
    .describe('Whether a call that failed at its target is tried at the next.'),
  breaker: z
    .strictObject({
      enabled: flag.describe('Leave a target alone that keeps failing.'),
      failureRate: share.describe('Share of failures, of the samples of the last 2 s or 10 s, that opens it.'),
      minSamples: count(1, 1_000_000).describe('Samples below which a window says nothing.'),
      consecutiveFailures: count(1, 1_000_000).describe(
        'Failures in a row that open it while both windows have too few samples.',
      ),
      slowMs: limit.describe('A first reply that takes longer counts as slow. false = none does.'),
      slowRate: share.describe('Share of slow first replies that opens it.'),
      openMs: time.describe('How long it stays open at first, give or take a fifth; it doubles while probes fail.'),
      openMaxMs: time.describe('Upper bound of that.'),
      probes: count(1, 1_000).describe('Attempts let through at a time while half-open, and successes that close it.'),
    })
    .optional()
    .describe('When a target is left alone.'),
  quarantine: z
    .strictObject({
      enabled: flag.describe('Leave a credential alone that was refused, or whose quota is used up.'),
      forMs: time.describe('For how long at first, give or take a fifth; it doubles while probes are refused.'),
      maxMs: time.describe('Upper bound of that.'),
    })
    .optional()
    .describe('When a credential is left alone.'),
  bulkhead: z
    .strictObject({
      slots: z
        .union([z.literal(false), z.int().min(1).max(1_000_000)])
        .optional()
        .describe('Attempts at one target at once, streams to their end included. false = no limit.'),
      queueSize: count(0, 100_000).describe('Calls that may wait for a slot of one target.'),
      queueWaitMs: wait.describe('How long a call may wait for a slot.'),
      queueTargetMs: limit.describe(
        'Wait above which, for a whole interval, a queue is cut down, low priority first. It grows where slots seldom become free. false = never.',
      ),
      queueIntervalMs: time.describe('That interval.'),
      tenantWeights: z
        .record(z.string(), z.int().min(1).max(1_000))
        .optional()
        .describe('Turns of a tenant in each round of the queue; 1 where it is not named.'),
    })
    .optional()
    .describe('How many attempts a target carries at once, and who waits.'),
  limiter: z
    .strictObject({
      algorithm: z
        .enum(['off', 'gradient', 'aimd'])
        .optional()
        .describe('How the number of slots follows the time to the first reply. off = it does not.'),
      start: count(1, 1_000_000).describe('Slots before anything is known.'),
      min: count(1, 1_000_000).describe('Never fewer.'),
      max: count(1, 1_000_000).describe('Never more; bulkhead.slots bounds it too.'),
    })
    .optional()
    .describe('Whether the slots follow what the target carries.'),
  hedge: z
    .strictObject({
      enabled: flag.describe(
        'Send a second copy to another target when the first has not replied by the 95th percentile of its times.',
      ),
      ratio: share.describe('Share of calls that may be hedged.'),
      minSamples: count(20, 1_000_000).describe('First replies of a target that must be known before a call to it is hedged.'),
    })
    .optional()
    .describe('Whether a late call is sent twice.'),
  shed: z
    .strictObject({
      enabled: flag.describe('Refuse calls of this operation while the node is under pressure, low priority first.'),
    })
    .optional()
    .describe('Whether calls are refused to keep the node alive; when, says `pressure`.'),
  degrade: z
    .strictObject({
      ladder: z
        .array(z.enum(['cache-stale', 'cheaper-model', 'static-answer', 'fail']))
        .max(8)
        .optional()
        .describe('What is tried, in order, when no target serves.'),
      staticAnswer: z.string().max(100_000).optional().describe('Text of the rung static-answer.'),
      retryAfterMs: wait.describe('Delay that the rung fail states where the error states none.'),
    })
    .refine(({ ladder, staticAnswer }) => !ladder?.includes('static-answer') || Boolean(staticAnswer), {
      error: 'the rung static-answer needs a text: give staticAnswer beside the ladder',
      path: ['staticAnswer'],
    })
    .optional()
    .describe('What is answered when nothing serves.'),
}

const fleet = z.strictObject({
  topic: z.string().min(1).max(200).default('resilience').describe('Topic of the bus; the same at all nodes.'),
  hintMs: z
    .int()
    .min(1)
    .max(LONGEST_TIMER_MS)
    .default(60_000)
    .describe('Longest time for which an open breaker of another node makes a target an alternative that is tried later.'),
})

/** The schema of the options. Strict: an unknown key is an error. */
export const resilienceOptions: z.ZodType<ResilienceOptions, ResilienceInput> = z.strictObject({
  ...groups,
  pressure: pressureOptions.prefault({}).describe('When this node sheds calls.'),
  fleet: fleet.prefault({}).describe('How nodes hear of each other, where the assembly has a bus.'),
  operations: z
    .record(
      z.string().regex(/^[^.\s]+\.[^.\s]+$/, 'an operation is named noun.verb, such as sql.query'),
      z.strictObject(groups),
    )
    .default({})
    .describe('The same groups for one operation. What is given here wins over what is given above, field by field.'),
}) as z.ZodType<ResilienceOptions, ResilienceInput>
