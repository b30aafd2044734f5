import { z } from 'zod'

/** When the node sheds calls. Each pair is the mark that begins it and the lower one that ends it; `false` = not looked at. */
export interface PressureSettings {
  /** 90th percentile of the event loop's delay; those of the other classes are multiples. */
  readonly loopDelayOnMs: number
  readonly loopDelayOffMs: number
  /** Share of the time in which the event loop is busy, in (0, 1]. For class `low` alone: a loop that is busy need not be late. */
  readonly loopUtilisationOn: number | false
  readonly loopUtilisationOff: number
  /** Share of the heap's limit in use, in (0, 1]. What is left is divided by the factor of the other classes. */
  readonly heapShareOn: number | false
  readonly heapShareOff: number
  /** Calls under way at this node. */
  readonly inFlightOn: number | false
  /** Default: nine tenths of `inFlightOn`. */
  readonly inFlightOff?: number | undefined
  /** Open TCP sockets of this process, clients' and upstreams'. */
  readonly socketsOn: number | false
  /** Default: nine tenths of `socketsOn`. */
  readonly socketsOff?: number | undefined
  /** Marks of class `normal` are those of `low` times this, */
  readonly normalFactor: number
  /** and of class `high` times this. */
  readonly highFactor: number
  /** Least delay that a refusal asks for; jitter adds up to as much again. */
  readonly retryAfterMs: number
}

/** The longest delay that a timer of Node carries. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const mark = z.int().min(1).max(LONGEST_TIMER_MS)
const share = z.number().gt(0).max(1)
const PAIRS = [
  ['loopDelayOnMs', 'loopDelayOffMs'],
  ['loopUtilisationOn', 'loopUtilisationOff'],
  ['heapShareOn', 'heapShareOff'],
  ['inFlightOn', 'inFlightOff'],
  ['socketsOn', 'socketsOff'],
] as const

const fields = {
  loopDelayOnMs: mark.default(100).describe('Shed class low once the 90th percentile of the event loop delay is at this.'),
  loopDelayOffMs: mark.default(50).describe('Stop once it is below this.'),
  loopUtilisationOn: z
    .union([z.literal(false), share])
    .default(0.95)
    .describe('Shed class low, and no other, once the event loop is busy for this share of the time. false = not measured.'),
  loopUtilisationOff: share.default(0.85).describe('Stop once it is below this.'),
  heapShareOn: z
    .union([z.literal(false), share])
    .default(0.85)
    .describe('Shed class low once this share of the heap limit is in use. false = not measured.'),
  heapShareOff: share.default(0.75).describe('Stop once it is below this.'),
  inFlightOn: z
    .union([z.literal(false), mark])
    .default(false)
    .describe('Shed class low at so many calls under way. false = not counted.'),
  inFlightOff: mark.optional().describe('Stop below this. Default: nine tenths of inFlightOn.'),
  socketsOn: z
    .union([z.literal(false), mark])
    .default(false)
    .describe('Shed class low at so many open TCP sockets of the process. false = not counted.'),
  socketsOff: mark.optional().describe('Stop below this. Default: nine tenths of socketsOn.'),
  normalFactor: z.number().min(1).max(1_000).default(3).describe('The marks of class normal, as a multiple.'),
  highFactor: z.number().min(1).max(1_000).default(10).describe('The marks of class high, as a multiple.'),
  retryAfterMs: z
    .int()
    .min(0)
    .max(LONGEST_TIMER_MS)
    .default(1_000)
    .describe('Least delay that a refusal asks for; jitter adds up to as much again.'),
}

/** The schema of the group `pressure`. Strict; a lower mark that is not below its upper one is an error. */
export const pressureOptions: z.ZodType<
  PressureSettings,
  { readonly [K in keyof PressureSettings]?: PressureSettings[K] | undefined }
> = z.strictObject(fields).superRefine((given, ctx) => {
  for (const [on, off] of PAIRS) {
    const upper = given[on]
    const lower = given[off]
    if (upper === false || lower === undefined || lower < upper) continue
    ctx.addIssue({ code: 'custom', message: `must be below ${on}, or shedding would flap`, path: [off] })
  }
})
