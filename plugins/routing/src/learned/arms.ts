import { canonicalAnswer } from './answers.ts'
import { passesSchema } from './call-schema.ts'
import { callTokens, costPico } from './costing.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import type { OutcomeRow, OutcomeSet } from './outcomes.ts'

/**
 * A way to answer: one model (`check` absent, `models` of one); or a cascade, which asks `models` together and, where the check
 * refuses, `fallback`. `agree`: all give the same answer. `schema`: the answer is well-formed. `majority`: the first two agree,
 * else the third is asked and agrees with one of them.
 */
export interface Arm {
  readonly id: string
  readonly check?: 'agree' | 'schema' | 'majority'
  readonly models: readonly string[]
  readonly fallback?: string
  /** Of a cascade: its models by their record, best first. Of those that agreed, the first here is the one whose reply is served. */
  readonly preferred?: readonly string[]
}

/** What each arm made of each row: arm-major arrays, `arm * rows + row`. Costs are exact pico-USD of every call made. */
export interface ArmTable {
  readonly arms: readonly Arm[]
  /** The place of the reference among the arms. */
  readonly reference: number
  readonly rows: number
  readonly quality: Float64Array
  readonly cost: Float64Array
  /** Part of the cost that is input of prompts, pico-USD. */
  readonly inputCost: Float64Array
  readonly inputTokens: Float64Array
}

/** How cascades are made beside the dataset's own. */
export interface ArmOptions {
  /** Cheap models of a made cascade cost together at most this share of the reference, 0 to 1. */
  readonly maxCheapShare: number
  /** At most this many made cascades, cheapest first. */
  readonly maxMadeCascades: number
  /** Offers every priced model, not the dataset's `arms` alone. */
  readonly allPriced: boolean
  readonly majority: boolean
}

/** The defaults of `ArmOptions`. */
export const ARM_DEFAULTS: ArmOptions = { maxCheapShare: 0.5, maxMadeCascades: 12, allPriced: false, majority: true }

const MIN_COVERAGE = 0.8

/**
 * Builds every arm that a set of outcomes allows and evaluates it on each row, billing all calls it makes. Which cascades are
 * made, and whose reply stands for an agreed answer, is settled on the rows of `fitted` alone (all, where left out).
 */
export function armTable(
  { spec, rows, name }: OutcomeSet,
  options: ArmOptions = ARM_DEFAULTS,
  fitted: (row: number) => boolean = () => true,
): ArmTable {
  const models = armModels(spec, rows, options.allPriced)
  const reference = models.indexOf(spec.reference)
  if (reference === -1) throw new TypeError(`${name}: the reference ${spec.reference} has outcomes on too few rows.`)
  const calls = new Map(models.map((model) => [model, callsOf(model, spec, rows, fitted)]))
  const arms = [...models.map((model): Arm => ({ id: model, models: [model] })), ...cascades(models, calls, spec, options)]
  const size = arms.length * rows.length
  const table = { quality: new Float64Array(size), cost: new Float64Array(size), inputCost: new Float64Array(size) }
  arms.forEach((arm, at) => void evaluate(arm, at * rows.length, rows.length, calls, table))
  const inputTokens = Float64Array.from((calls.get(spec.reference) as ModelCalls).input)
  return { arms, reference, rows: rows.length, ...table, inputTokens }
}

interface ModelCalls {
  readonly score: Float64Array
  readonly cost: Float64Array
  readonly inputCost: Float64Array
  readonly input: Float64Array
  readonly answer: readonly (string | undefined)[]
  readonly valid: readonly boolean[]
  readonly meanCost: number
  readonly meanScore: number
}

function armModels(spec: DatasetSpec, rows: readonly OutcomeRow[], allPriced: boolean): string[] {
  const wanted = new Set([...(allPriced ? Object.keys(spec.prices) : (spec.arms ?? Object.keys(spec.prices))), spec.reference])
  return [...wanted].filter((model) => {
    if (spec.prices[model] === undefined) return false
    let known = 0
    for (const row of rows) if (row.outcomes.has(model)) known += 1
    return known >= rows.length * MIN_COVERAGE
  })
}

function callsOf(model: string, spec: DatasetSpec, rows: readonly OutcomeRow[], fitted: (row: number) => boolean): ModelCalls {
  const price = spec.prices[model] as readonly [number, number]
  const calls = {
    score: new Float64Array(rows.length),
    cost: new Float64Array(rows.length),
    inputCost: new Float64Array(rows.length),
    input: new Float64Array(rows.length),
    answer: [] as (string | undefined)[],
    valid: [] as boolean[],
  }
  rows.forEach((row, at) => {
    const outcome = row.outcomes.get(model)
    const tokens = callTokens(row, outcome, spec)
    calls.score[at] = outcome?.score ?? 0
    calls.cost[at] = costPico(tokens, price)
    calls.inputCost[at] = tokens.input * price[0]
    calls.input[at] = tokens.input
    const answer = canonicalAnswer(spec.answer, outcome?.answer)
    calls.answer.push(answer)
    calls.valid.push(
      answer !== undefined &&
        (spec.answer !== 'call' || row.functions === undefined || passesSchema(String(outcome?.answer), row.functions)),
    )
  })
  let count = 0
  let cost = 0
  let score = 0
  for (let at = 0; at < rows.length; at += 1) {
    if (!fitted(at)) continue
    count += 1
    cost += calls.cost[at] as number
    score += calls.score[at] as number
  }
  return { ...calls, meanCost: cost / count, meanScore: score / count }
}

function cascades(
  models: readonly string[],
  calls: ReadonlyMap<string, ModelCalls>,
  spec: DatasetSpec,
  options: ArmOptions,
): Arm[] {
  if (spec.answer === null) return []
  const cost = (model: string): number => (calls.get(model) as ModelCalls).meanCost
  const score = (model: string): number => (calls.get(model) as ModelCalls).meanScore
  const answers = (model: string): boolean => (calls.get(model) as ModelCalls).answer.some((answer) => answer !== undefined)
  const limit = cost(spec.reference) * options.maxCheapShare
  const cheap = models
    .filter((model) => model !== spec.reference && cost(model) < limit && answers(model))
    .toSorted((a, b) => cost(a) - cost(b))
  const made: Arm[] = []
  const add = (check: NonNullable<Arm['check']>, some: readonly string[]): void => {
    const id = `${check}(${some.join(', ')}) -> ${spec.reference}`
    if (!made.some((one) => one.id === id))
      made.push({ id, check, models: some, fallback: spec.reference, preferred: some.toSorted((a, b) => score(b) - score(a)) })
  }
  for (const { check, cheap: some } of spec.cascades) {
    const known = some.every((model) => models.includes(model) && answers(model))
    if (known && (check === 'agree' || check === 'schema')) add(check, some)
  }
  const own = made.length
  const pairs = cheap
    .flatMap((a, at) => cheap.slice(at + 1).map((b) => [a, b] as const))
    .filter(([a, b]) => cost(a) + cost(b) < limit)
    .toSorted((x, y) => cost(x[0]) + cost(x[1]) - cost(y[0]) - cost(y[1]))
  for (const model of cheap) add('schema', [model])
  for (const pair of pairs)
    if (!made.some((one) => one.check === 'agree' && pair.every((model) => one.models.includes(model)))) add('agree', pair)
  if (options.majority)
    for (const [a, b] of pairs)
      for (const c of cheap)
        if (c !== a && c !== b && cost(c) >= cost(b) && cost(a) + cost(b) + cost(c) < limit) add('majority', [a, b, c])
  return made.slice(0, own + options.maxMadeCascades)
}

type Table = Pick<ArmTable, 'quality' | 'cost' | 'inputCost'>

function evaluate(arm: Arm, offset: number, rows: number, calls: ReadonlyMap<string, ModelCalls>, table: Table): void {
  const asked = arm.models.map((model) => calls.get(model) as ModelCalls)
  const best = (arm.preferred ?? arm.models).map((model) => calls.get(model) as ModelCalls)
  const fallback = arm.fallback === undefined ? undefined : (calls.get(arm.fallback) as ModelCalls)
  for (let row = 0; row < rows; row += 1) {
    const { called, answer } = outcomeOf(arm, asked, best, row)
    const served = answer ?? (fallback as ModelCalls)
    table.quality[offset + row] = served.score[row] as number
    let cost = 0
    let inputCost = 0
    for (let at = 0; at < called; at += 1) {
      cost += asked[at]?.cost[row] as number
      inputCost += asked[at]?.inputCost[row] as number
    }
    if (answer === undefined) {
      cost += fallback?.cost[row] as number
      inputCost += fallback?.inputCost[row] as number
    }
    table.cost[offset + row] = cost
    table.inputCost[offset + row] = inputCost
  }
}

function outcomeOf(
  { check }: Arm,
  asked: readonly ModelCalls[],
  best: readonly ModelCalls[],
  row: number,
): { readonly called: number; readonly answer: ModelCalls | undefined } {
  const [first, second, third] = asked as [ModelCalls, ModelCalls?, ModelCalls?]
  if (check === undefined) return { called: 1, answer: first }
  if (check === 'schema') return { called: asked.length, answer: best.find((one) => one.valid[row]) }
  const said = first.valid[row] ? first.answer[row] : undefined
  if (check === 'agree') {
    const agreed = said !== undefined && asked.every((one) => one.answer[row] === said)
    return { called: asked.length, answer: agreed ? best[0] : undefined }
  }
  if (said !== undefined && said === second?.answer[row])
    return { called: 2, answer: best.find((one) => one === first || one === second) }
  const word = third?.valid[row] ? third.answer[row] : undefined
  const agreed = word !== undefined && (word === said || word === second?.answer[row])
  return { called: 3, answer: agreed ? best.find((one) => one.answer[row] === word) : undefined }
}
