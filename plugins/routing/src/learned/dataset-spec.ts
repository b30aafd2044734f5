import { z } from 'zod'
import type { AnswerKind } from './answers.ts'

/** A cascade that a dataset names: a check and the models asked before the reference. */
export interface CascadeSpec {
  readonly check: string
  readonly cheap: readonly string[]
}

/** A dataset's entry of `datasets.json`, with its defaults filled in. */
export interface DatasetSpec {
  /** How answers are compared; null: not at all, so no cascades. */
  readonly answer: AnswerKind
  /** The model that quality and savings are measured against. */
  readonly reference: string
  /** Models to choose among; all that have a price where absent. */
  readonly arms?: readonly string[] | undefined
  readonly cascades: readonly CascadeSpec[]
  /** Pico-USD a token, `[input, output]`, by model. */
  readonly prices: Readonly<Record<string, readonly [number, number]>>
  /** Output tokens of every reply. */
  readonly out?: number | undefined
  /** Input tokens added to each prompt for instructions. */
  readonly overhead: number
}

const datasetSpecSchema: z.ZodType<Omit<DatasetSpec, 'reference'> & { readonly reference?: string | undefined }> = z.object({
  answer: z.enum(['label', 'number', 'call', 'text']).nullable().catch(null).default(null),
  reference: z.string().min(1).optional(),
  arms: z.array(z.string()).min(1).optional(),
  cascades: z.array(z.object({ check: z.string(), cheap: z.array(z.string()).min(1) })).default([]),
  prices: z.record(z.string(), z.tuple([z.number().nonnegative(), z.number().nonnegative()])),
  out: z.number().positive().optional(),
  overhead: z.number().nonnegative().default(0),
})

/** Reads a `datasets.json`: file name without endings -> entry. Throws a TypeError naming the entry and the field. */
export function parseDatasetSpecs(json: unknown): ReadonlyMap<string, DatasetSpec> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError('datasets.json holds one object: {"file name": {"reference": ..., "prices": ...}}.')
  return new Map(Object.entries(json).map(([name, entry]) => [name, parseDatasetSpec(name, entry)]))
}

/**
 * Reads one entry. Where it names no reference, that is the dearest model of its prices. An unknown kind of answer is taken as not
 * comparable. Throws a TypeError naming the entry and the field.
 */
export function parseDatasetSpec(name: string, entry: unknown): DatasetSpec {
  const read = datasetSpecSchema.safeParse(entry)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new TypeError(`The dataset entry ${name} is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}.`)
  }
  const { prices, reference = dearest(prices) } = read.data
  if (reference === undefined || prices[reference] === undefined)
    throw new TypeError(
      `The dataset entry ${name} has no price of its reference ${reference ?? ''}. Add prices["${reference ?? 'model'}"]: [input, output] in pico-USD a token.`,
    )
  return { ...read.data, reference }
}

function dearest(prices: DatasetSpec['prices']): string | undefined {
  let most = -1
  let found: string | undefined
  for (const [model, [input, output]] of Object.entries(prices))
    if (input + output > most) {
      most = input + output
      found = model
    }
  return found
}
