import type { OfferedFunction } from './call-schema.ts'
import type { DatasetSpec } from './dataset-spec.ts'

/** What one model made of one prompt. */
export interface Outcome {
  /** 0 to 1. */
  readonly score: number
  /** Output tokens as reported; undefined where none were (a zero counts as none). */
  readonly outTokens: number | undefined
  /** Input tokens as reported; undefined where none were. */
  readonly inTokens: number | undefined
  /** The answer as it stood in the reply; undefined where none is on record. */
  readonly answer: unknown
}

/** A prompt with the outcome of every model that was tried on it. */
export interface OutcomeRow {
  readonly id: string
  /** Subject or category; empty where the row states none. */
  readonly task: string
  readonly prompt: string
  readonly split: string
  readonly outcomes: ReadonlyMap<string, Outcome>
  /** Input tokens of the full request, where the row states them. */
  readonly inTokens: number | undefined
  readonly functions: readonly OfferedFunction[] | undefined
}

/** Rows of one file with what is known of its models. */
export interface OutcomeSet {
  readonly name: string
  readonly spec: DatasetSpec
  readonly rows: readonly OutcomeRow[]
}

/**
 * Reads JSON lines `{id, task, prompt, split, m: {model: outcome}, in?, fns?}`. An outcome is `[score, output tokens?, input
 * tokens?, seconds?, answer?]`, where the first text or null after the score is the answer; or the score alone; or an object
 * with those names. Throws a TypeError naming file and line for what cannot be read.
 */
export function parseOutcomes(name: string, spec: DatasetSpec, lines: Iterable<string>): OutcomeSet {
  const rows: OutcomeRow[] = []
  let line = 0
  for (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    rows.push(rowOf(text, `${name}, line ${line}`))
  }
  if (rows.length === 0)
    throw new TypeError(`${name} has no rows. Each line is {"id", "prompt", "split", "m": {model: [score, ...]}}.`)
  return { name, spec, rows }
}

function rowOf(text: string, place: string): OutcomeRow {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new TypeError(`${place} is not JSON. Give one JSON object a line.`)
  }
  if (!isObject(json) || typeof json.prompt !== 'string' || !isObject(json.m))
    throw new TypeError(`${place} lacks "prompt" (text) or "m" (model: outcome).`)
  const outcomes = new Map<string, Outcome>()
  for (const [model, raw] of Object.entries(json.m)) {
    const outcome = outcomeOf(raw)
    if (outcome === undefined) throw new TypeError(`${place}: the outcome of ${model} has no score from 0 to 1.`)
    if (outcome !== null) outcomes.set(model, outcome)
  }
  return {
    id: String(json.id ?? place),
    task: typeof json.task === 'string' ? json.task : '',
    prompt: json.prompt,
    split: typeof json.split === 'string' ? json.split : '',
    outcomes,
    inTokens: tokens(json.in),
    functions: Array.isArray(json.fns) ? (json.fns as OfferedFunction[]) : undefined,
  }
}

function outcomeOf(raw: unknown): Outcome | null | undefined {
  if (raw === null) return null
  if (isObject(raw)) {
    const { score, out, answer } = raw
    return outcomeOf([score, out, raw.in, 0, answer ?? null])
  }
  const values = Array.isArray(raw) ? (raw as unknown[]) : [raw]
  const score = typeof values[0] === 'boolean' ? Number(values[0]) : values[0]
  if (score === null) return null
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return undefined
  const answerAt = values.findIndex((value, at) => at > 0 && typeof value !== 'number' && !(at === 1 && value === null))
  const numbers = answerAt === -1 ? values : values.slice(0, answerAt)
  return {
    score,
    outTokens: tokens(numbers[1]),
    inTokens: tokens(numbers[2]),
    answer: answerAt === -1 ? undefined : (values[answerAt] ?? undefined),
  }
}

function tokens(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.ceil(value) : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
