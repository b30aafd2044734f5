import type { DatasetSpec } from './dataset-spec.ts'
import type { Outcome, OutcomeRow, OutcomeSet } from './outcomes.ts'

const CHARS_PER_TOKEN = 3.8
const UNKNOWN_OUTPUT_TOKENS = 200

/** Tokens of one call, whole numbers. */
export interface CallTokens {
  readonly input: number
  readonly output: number
}

/**
 * Tokens of a model's call on a row: as reported; else as the row or the dataset states; else estimated: input from the
 * characters of prompt and functions, output from the reply where the answer is the whole reply, else as other models' on this row.
 */
export function callTokens(row: OutcomeRow, outcome: Outcome | undefined, spec: DatasetSpec): CallTokens {
  return { input: inputTokens(row, outcome, spec), output: outputTokens(row, outcome, spec) }
}

/** The same set with the tokens of every call written into its rows, so that it can stand beside rows of another entry. */
export function withTokens({ name, spec, rows }: OutcomeSet): OutcomeSet {
  const settled = rows.map((row) => {
    const outcomes = [...row.outcomes].map(([model, outcome]) => {
      const { input, output } = callTokens(row, outcome, spec)
      return [model, { ...outcome, inTokens: input, outTokens: output }] as const
    })
    return { ...row, outcomes: new Map(outcomes) }
  })
  return { name, spec: { ...spec, out: undefined }, rows: settled }
}

/** Exact cost of a call in pico-USD: whole tokens times whole prices. Throws a RangeError beyond 2^53. */
export function costPico(tokens: CallTokens, [input, output]: readonly [number, number]): number {
  const cost = tokens.input * input + tokens.output * output
  if (!Number.isSafeInteger(Math.ceil(cost))) throw new RangeError('A call of more than 9,007 USD is not priced.')
  return cost
}

/** Estimated tokens of a text. */
export function estimatedTokens(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN)
}

function inputTokens(row: OutcomeRow, outcome: Outcome | undefined, spec: DatasetSpec): number {
  const stated = outcome?.inTokens ?? row.inTokens
  if (stated !== undefined) return stated
  const others = middle(row, 'inTokens')
  if (others !== undefined) return others
  const functions = row.functions === undefined ? 0 : JSON.stringify(row.functions).length
  return estimatedTokens(row.prompt.length + functions) + spec.overhead
}

function outputTokens(row: OutcomeRow, outcome: Outcome | undefined, spec: DatasetSpec): number {
  if (spec.out !== undefined) return spec.out
  if (outcome?.outTokens !== undefined) return outcome.outTokens
  if (spec.answer === 'call' && typeof outcome?.answer === 'string' && outcome.answer !== '')
    return estimatedTokens(outcome.answer.length)
  return middle(row, 'outTokens') ?? UNKNOWN_OUTPUT_TOKENS
}

function middle(row: OutcomeRow, field: 'inTokens' | 'outTokens'): number | undefined {
  const known: number[] = []
  for (const outcome of row.outcomes.values()) {
    const value = outcome[field]
    if (value !== undefined) known.push(value)
  }
  known.sort((a, b) => a - b)
  return known[known.length >> 1]
}
