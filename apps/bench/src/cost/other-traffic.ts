import {
  armRows,
  chooseArm,
  estimator,
  type Fitted,
  fitRouter,
  type OutcomeSet,
  type Policy,
  placeOf,
  resultOf,
  type Served,
  type Split,
  seeded,
  termsOfSet,
  trafficGuard,
  withTokens,
} from '@switchyard/routing/learned'

/** A promise made on some tasks and met by others. */
export interface OtherTrafficRow {
  readonly learned: string
  readonly routed: string
  readonly targetQuality: number
  readonly rows: number
  readonly quality: number
  readonly saved: number
  readonly guardedQuality: number
  readonly guardedSaved: number
  /** Requests, in order of arrival, until the guard first shut; undefined where it never did. */
  readonly shutAfter: number | undefined
}

const TARGETS = [0.95, 0.98]
const SHADOWED = 0.05
const LEAST_TASKS = 4

/**
 * Routes what a router was not fitted for: every other set with the same reference, and the other half of a set's tasks. Guarded,
 * 5 % of the requests also get the reference, which is billed, and a guard may shut the policy.
 */
export function otherTraffic(sets: readonly OutcomeSet[]): readonly OtherTrafficRow[] {
  const rows: OtherTrafficRow[] = []
  for (const set of sets) {
    const tasks = [...new Set(set.rows.map(({ task }) => task))].toSorted()
    if (tasks.length >= LEAST_TASKS) {
      const first = new Set(tasks.slice(0, tasks.length >> 1))
      const halves = [true, false].map((side) => set.rows.flatMap(({ task }, row) => (first.has(task) === side ? [row] : [])))
      const [a, b] = halves as [number[], number[]]
      rows.push(...judged(set, { train: a, test: b }, `${set.name}, first tasks`, 'its other tasks'))
      rows.push(...judged(set, { train: b, test: a }, `${set.name}, other tasks`, 'its first tasks'))
    }
    for (const other of sets) {
      if (other === set || other.spec.reference !== set.spec.reference) continue
      const own = withTokens(set)
      const joined = { ...own, rows: [...own.rows, ...withTokens(other).rows] }
      const train = set.rows.map((_, row) => row)
      const test = other.rows.map((_, row) => row + set.rows.length)
      rows.push(...judged(joined, { train, test }, set.name, other.name))
    }
  }
  return rows
}

function judged(set: OutcomeSet, { train, test }: Split, learned: string, routed: string): OtherTrafficRow[] {
  const fitted = fitRouter(set, train, { maxRows: 4_000 }, termsOfSet(set))
  const reference = (order: readonly number[]): Served => armRows(fitted.table, order, fitted.table.reference)
  const chance = seeded(11)
  const order = test
    .map((row) => [chance(), row] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, row]) => row)
  return TARGETS.map((targetQuality) => {
    const { policy } = fitted.calibrated(targetQuality)
    const plain = resultOf(serve(fitted, set, order, policy, undefined).served, reference(order))
    const { served, shutAfter } = serve(fitted, set, order, policy, targetQuality)
    const guarded = resultOf(served, reference(order))
    return {
      learned,
      routed,
      targetQuality,
      rows: order.length,
      quality: plain.quality,
      saved: plain.saved,
      guardedQuality: guarded.quality,
      guardedSaved: guarded.saved,
      shutAfter,
    }
  })
}

function serve(
  { table, posterior, terms, leastEvidence, norm }: Fitted,
  set: OutcomeSet,
  order: readonly number[],
  policy: Policy,
  targetQuality: number | undefined,
): { readonly served: Served; readonly shutAfter: number | undefined } {
  const estimate = estimator(posterior)
  const chance = seeded(13)
  const guard = targetQuality === undefined ? undefined : trafficGuard({ targetQuality, norm })
  const served = { quality: new Float64Array(order.length), cost: new Float64Array(order.length) }
  let shutAfter: number | undefined
  order.forEach((row, at) => {
    const one = estimate(terms[row] as ReadonlyMap<number, number>, table.inputTokens[row] as number)
    const rule = { policy, reference: table.reference, leastEvidence }
    const { arm } = chooseArm(rule, one, placeOf(set.rows[row]?.prompt ?? ''))
    const own = arm * table.rows + row
    const base = table.reference * table.rows + row
    guard?.observe(one.evidence)
    const shut = guard !== undefined && guard.verdict() !== 'open'
    if (shut) shutAfter ??= at
    const shadowed = guard !== undefined && chance() < SHADOWED
    if (shadowed) guard.pair(table.quality[own] as number, table.quality[base] as number)
    const both = shadowed && arm !== table.reference
    served.quality[at] = table.quality[shut ? base : own] as number
    served.cost[at] = both
      ? (table.cost[own] as number) + (table.cost[base] as number)
      : (table.cost[shut ? base : own] as number)
  })
  return { served, shutAfter }
}
