import { z } from 'zod'
import type { AnswerKind } from './answers.ts'
import type { Arm } from './arms.ts'
import type { Calibration, CurvePoint } from './calibrate.ts'
import type { Fitted } from './fit.ts'
import type { OutcomeSet } from './outcomes.ts'
import { type PackedArray, pack, packedSchema, unpack } from './packed.ts'
import type { Posterior } from './posterior.ts'
import type { EvidenceNorm } from './traffic-guard.ts'

/** The version of the format that this package writes and reads. */
export const ARTEFACT_SCHEMA = 'switchyard.router/1'

/** A fitted router as JSON: everything that `decider` needs, and what was promised. */
export interface RouterArtefact {
  readonly schema: typeof ARTEFACT_SCHEMA
  /** ISO 8601. */
  readonly createdAt: string
  /** SHA-256 of the rows it was fitted on, hexadecimal. */
  readonly dataHash: string
  readonly targetQuality: number
  readonly reference: string
  readonly answer: AnswerKind
  readonly arms: readonly Arm[]
  /** The policy chosen and what was promised of it. */
  readonly calibration: Calibration
  readonly leastEvidence: number
  /** For `trafficGuard`. */
  readonly norm: EvidenceNorm
  /** Quality against saving over all lambdas, by cross-validation. */
  readonly curve: readonly CurvePoint[]
  readonly index: Readonly<Record<'terms' | 'idf' | 'starts' | 'postingRows' | 'postingWeights', PackedArray>> & {
    readonly rows: number
  }
  readonly posterior: Readonly<Record<'outcomes' | 'weights' | 'meanQuality' | 'outputCost' | 'inputPrice', PackedArray>>
}

const calibrationSchema = z.strictObject({
  targetQuality: z.number(),
  margin: z.number().nonnegative(),
  policy: z.strictObject({
    kind: z.enum(['lambda', 'arm', 'reference']),
    lambda: z.number().nonnegative(),
    arm: z.int().nonnegative(),
    share: z.number().min(0).max(1),
  }),
  quality: z.number(),
  lowerBound: z.number(),
  saved: z.number(),
  rows: z.int().nonnegative(),
})

const artefactSchema: z.ZodType<RouterArtefact> = z.strictObject({
  schema: z.literal(ARTEFACT_SCHEMA),
  createdAt: z.iso.datetime(),
  dataHash: z.string().regex(/^[0-9a-f]{64}$/),
  targetQuality: z.number().min(0).max(2),
  reference: z.string().min(1),
  answer: z.enum(['label', 'number', 'call', 'text']).nullable(),
  arms: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        check: z.enum(['agree', 'schema', 'majority']).optional(),
        models: z.array(z.string().min(1)).min(1),
        fallback: z.string().optional(),
        preferred: z.array(z.string().min(1)).optional(),
      }),
    )
    .min(1) as unknown as z.ZodType<readonly Arm[]>,
  calibration: calibrationSchema,
  leastEvidence: z.number().nonnegative(),
  norm: z.strictObject({ mean: z.number().nonnegative(), deviation: z.number().nonnegative() }),
  curve: z.array(z.strictObject({ lambda: z.number(), quality: z.number(), standardError: z.number(), saved: z.number() })),
  index: z.strictObject({
    rows: z.int().nonnegative(),
    terms: packedSchema,
    idf: packedSchema,
    starts: packedSchema,
    postingRows: packedSchema,
    postingWeights: packedSchema,
  }),
  posterior: z.strictObject({
    outcomes: packedSchema,
    weights: packedSchema,
    meanQuality: packedSchema,
    outputCost: packedSchema,
    inputPrice: packedSchema,
  }),
})

/** What an artefact states of itself beside what was fitted. */
export interface ArtefactStamp {
  /** ISO 8601. */
  readonly createdAt: string
  /** By `dataHashOf`. */
  readonly dataHash: string
}

/** Makes the artefact of a fit for one target. */
export function routerArtefact(set: OutcomeSet, fitted: Fitted, targetQuality: number, stamp: ArtefactStamp): RouterArtefact {
  const { index, outcomes, weights, meanQuality, outputCost, inputPrice } = fitted.posterior
  return {
    schema: ARTEFACT_SCHEMA,
    ...stamp,
    targetQuality,
    reference: set.spec.reference,
    answer: set.spec.answer,
    arms: fitted.table.arms,
    calibration: fitted.calibrated(targetQuality),
    leastEvidence: fitted.leastEvidence,
    norm: fitted.norm,
    curve: curveOf(fitted),
    index: {
      rows: index.rows,
      terms: pack(index.terms),
      idf: pack(index.idf),
      starts: pack(index.starts),
      postingRows: pack(index.postingRows),
      postingWeights: pack(index.postingWeights),
    },
    posterior: {
      outcomes: pack(outcomes),
      weights: pack(weights),
      meanQuality: pack(meanQuality),
      outputCost: pack(outputCost),
      inputPrice: pack(inputPrice),
    },
  }
}

/** Quality against saving over all lambdas of a fit. */
export function curveOf({ candidates }: Fitted): readonly CurvePoint[] {
  return candidates.all
    .filter(({ arm }) => arm === -1)
    .map(({ lambda, quality, standardError, saved }) => ({ lambda, quality, standardError, saved }))
}

/** Reads an artefact. Throws a TypeError that says what is wrong, where, and the mend. */
export function parseArtefact(json: unknown): RouterArtefact {
  const schema = typeof json === 'object' && json !== null ? (json as { readonly schema?: unknown }).schema : undefined
  if (schema !== ARTEFACT_SCHEMA)
    throw new TypeError(
      `This is no router artefact of the format ${ARTEFACT_SCHEMA} (schema: ${JSON.stringify(schema) ?? 'none'}). Make one with "switchyard route fit".`,
    )
  const read = artefactSchema.safeParse(json)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new TypeError(
    `The router artefact is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}. Make it again with "switchyard route fit".`,
  )
}

/** The posterior within an artefact. Throws a TypeError where its parts do not fit each other, so that no index is read beyond its end. */
export function posteriorOf({ arms, index, posterior, reference, calibration }: RouterArtefact): Posterior {
  const read = {
    index: {
      rows: index.rows,
      terms: unpack(index.terms) as Uint32Array,
      idf: unpack(index.idf) as Float32Array,
      starts: unpack(index.starts) as Uint32Array,
      postingRows: unpack(index.postingRows) as Uint32Array,
      postingWeights: unpack(index.postingWeights) as Float32Array,
    },
    arms: arms.length,
    outcomes: unpack(posterior.outcomes) as Float32Array,
    weights: unpack(posterior.weights) as Float32Array,
    meanQuality: unpack(posterior.meanQuality) as Float64Array,
    outputCost: unpack(posterior.outputCost) as Float64Array,
    inputPrice: unpack(posterior.inputPrice) as Float64Array,
  }
  const { terms, idf, starts, postingRows, postingWeights } = read.index
  const fits =
    idf.length === terms.length &&
    starts.length === terms.length + 1 &&
    starts.every((start, at) => at === 0 || start >= (starts[at - 1] as number)) &&
    starts[terms.length] === postingRows.length &&
    postingWeights.length === postingRows.length &&
    postingRows.every((row) => row < index.rows) &&
    read.outcomes.length === index.rows * arms.length &&
    read.weights.length === terms.length * arms.length &&
    [read.meanQuality, read.outputCost, read.inputPrice].every(({ length }) => length === arms.length) &&
    calibration.policy.arm < arms.length &&
    arms.some(({ id, check }) => id === reference && check === undefined)
  if (!fits)
    throw new TypeError('The parts of the router artefact do not fit each other. Make it again with "switchyard route fit".')
  return read
}
