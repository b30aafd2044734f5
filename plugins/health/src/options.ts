import { z } from 'zod'

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** When failures count as a finding. */
export interface FailureOptions {
  readonly consecutive: number
  readonly share: number
  readonly minSamples: number
  readonly shortMs: number
  readonly windowMs: number
}

/** When slowness counts as a finding, against the deployment's own baseline. */
export interface LatencyOptions {
  readonly factor: number
  readonly minMs: number
  readonly forMs: number
  readonly minSamples: number
  readonly ejectAfterMs: number | false
  readonly stallFactor: number
  readonly stallMs: number
  readonly acceptAfterMs: number
}

/** When a deployment is found to fail more than the others of its pool. */
export interface PeerOptions {
  readonly minTargets: number
  readonly minSamples: number
  readonly deviations: number
  readonly minGap: number
}

/** How long one is left out, how many, and how it comes back. */
export interface EjectionOptions {
  readonly baseMs: number
  readonly maxMs: number
  readonly maxShare: number
  readonly slowStartMs: number
  readonly slowStartWeight: number
}

/** What is made of stated limits. */
export interface RateLimitOptions {
  readonly lowShare: number
  readonly maxCooldownMs: number
  readonly withoutDelayMs: number
}

/** Active probes. */
export interface ProbeOptions {
  readonly instances: readonly string[]
  readonly intervalMs: number
  readonly quietMs: number
  readonly timeoutMs: number
  readonly failures: number
  readonly maxPerMinute: number
}

/** What nodes tell each other. */
export interface FleetOptions {
  readonly topic: string
  readonly hintWeight: number
  readonly hintMs: number
}

/** Options as validated. */
export interface HealthOptions {
  readonly failures: FailureOptions
  readonly latency: LatencyOptions
  readonly peers: PeerOptions
  readonly ejection: EjectionOptions
  readonly rateLimit: RateLimitOptions
  readonly probes: ProbeOptions
  readonly fleet: FleetOptions
  readonly degradedWeight: number
  readonly degradedHoldMs: number
  readonly historySize: number
  readonly maxDeployments: number
}

/** What `health({ ... })` takes; all of it may be left out, see README. */
export interface HealthInput
  extends Given<Pick<HealthOptions, 'degradedWeight' | 'degradedHoldMs' | 'historySize' | 'maxDeployments'>> {
  readonly failures?: Given<FailureOptions> | undefined
  readonly latency?: Given<LatencyOptions> | undefined
  readonly peers?: Given<PeerOptions> | undefined
  readonly ejection?: Given<EjectionOptions> | undefined
  readonly rateLimit?: Given<RateLimitOptions> | undefined
  readonly probes?: Given<ProbeOptions> | undefined
  readonly fleet?: Given<FleetOptions> | undefined
}

/** The longest delay that a timer of Node carries. */
const LONGEST_MS = 2 ** 31 - 1

const ms = z.int().min(1).max(LONGEST_MS)
const orNoMs = z.int().min(0).max(LONGEST_MS)
const share = z.number().gt(0).max(1)
const count = z.int().min(1).max(1_000_000)

const failures = z
  .strictObject({
    consecutive: count.default(5).describe('Failures in a row that are a finding; half as many while it comes back'),
    share: share.default(0.5).describe('Share of failures that is a finding, in either window'),
    minSamples: count.default(20).describe('Samples that a window must hold to be judged'),
    shortMs: ms.default(2_000).describe('The short window'),
    windowMs: ms.default(10_000).describe('The long window; also that of `successRate`'),
  })
  .refine(({ shortMs, windowMs }) => shortMs <= windowMs, { path: ['shortMs'], error: 'must not pass windowMs' })

const latency = z.strictObject({
  factor: z.number().gt(1).default(5).describe('A first reply is slow beyond as many times its usual time'),
  minMs: orNoMs.default(250).describe('No first reply within this is slow'),
  forMs: ms.default(1_000).describe('Slow for that long, most of them = degraded'),
  minSamples: count.default(10).describe('Slow replies at least, for a finding'),
  ejectAfterMs: z
    .union([z.literal(false), ms])
    .default(false)
    .describe('Degraded for being slow for that long = ejected; false = never'),
  stallFactor: z.number().gt(1).default(15).describe('No reply at all for as many times the usual time = a failure'),
  stallMs: ms.default(1_000).describe('No reply within this is a stall'),
  acceptAfterMs: ms.default(600_000).describe('Slow for that long is the new usual'),
})

const peers = z.strictObject({
  minTargets: z.int().min(3).max(1000).default(5).describe('Deployments of a pool with enough samples, to compare them at all'),
  minSamples: count.default(100).describe('Samples of each in the long window'),
  deviations: z.number().gt(0).max(10).default(1.9).describe('Standard deviations below the mean success rate'),
  minGap: share.default(0.05).describe('And at least this far below the mean'),
})

const ejection = z
  .strictObject({
    baseMs: ms.default(30_000).describe('First ejection; each further one in a row is longer by as much. ± 20 %'),
    maxMs: ms.default(300_000).describe('Longest ejection'),
    maxShare: share
      .default(0.1)
      .describe('Share of a pool that may be out for failing; at least one of two or more, never the last'),
    slowStartMs: orNoMs.default(30_000).describe('How long the weight grows afterwards'),
    slowStartWeight: share.default(0.1).describe('Weight at which it begins'),
  })
  .refine(({ baseMs, maxMs }) => baseMs <= maxMs, { path: ['baseMs'], error: 'must not pass maxMs' })

const rateLimit = z.strictObject({
  lowShare: share.default(0.1).describe('Less left of a stated quota than this share = degraded until its reset'),
  maxCooldownMs: ms.default(300_000).describe('Longest wait that a provider may ask for; longer ones count as this'),
  withoutDelayMs: ms
    .default(5_000)
    .describe('How long a refusal counts that states no delay; left out for as long after `failures.consecutive` in a row'),
})

const probes = z.strictObject({
  instances: z
    .array(z.string().min(1))
    .max(1000)
    .default([])
    .describe('Provider instances to probe beside those that declare `freeProbe`: their probes may cost money'),
  intervalMs: ms.default(10_000).describe('Between two probes of one deployment, ± 20 %'),
  quietMs: ms.default(60_000).describe('Without a call for that long, a deployment is probed; an ejected one always'),
  timeoutMs: ms.default(5_000).describe('A probe that takes longer has failed'),
  failures: count.default(3).describe('Failed probes in a row that are a finding'),
  maxPerMinute: orNoMs.default(30).describe('Probes a minute, over all deployments; 0 = none'),
})

const fleet = z.strictObject({
  topic: z.string().min(1).max(200).default('health').describe('Of the bus; the same at all nodes'),
  hintWeight: share.default(0.5).describe('Factor on the weight for each other node that has it ejected; 1 = hints do nothing'),
  hintMs: ms.default(30_000).describe('How long a hint counts'),
})

/** The schema of the options. Strict: an unknown key is an error. */
export const healthOptions: z.ZodType<HealthOptions, HealthInput> = z.strictObject({
  failures: failures.prefault({}).describe('When failures are a finding.'),
  latency: latency.prefault({}).describe('When slowness is a finding.'),
  peers: peers.prefault({}).describe('When a deployment fails more than the others of its pool.'),
  ejection: ejection.prefault({}).describe('How long, how many, and how it comes back.'),
  rateLimit: rateLimit.prefault({}).describe('What is made of stated limits.'),
  probes: probes.prefault({}).describe('Active probes.'),
  fleet: fleet.prefault({}).describe('What nodes tell each other.'),
  degradedWeight: share.default(0.25).describe('Weight of a degraded deployment.'),
  degradedHoldMs: ms.default(5_000).describe('How long a finding holds after it was last made.'),
  historySize: z.int().min(1).max(1000).default(50).describe('Changes kept of each deployment.'),
  maxDeployments: z.int().min(1).max(100_000).default(2_000).describe('Deployments known at once; the least recently used go.'),
})
