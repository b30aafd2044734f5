/** How good models are at kinds of questions, as somebody measured it. */
export interface Scores {
  /** ISO date of the measurement: a score without a date and a source says nothing. */
  readonly asOf: string
  readonly source: string
  /** Scores from 0 to 1 by kind of question, then by model; `*` holds for kinds that are not listed. */
  readonly byClass: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Targets below it are left out; so are those without a score. */
  readonly floor?: number | undefined
  /** Tenants that said that the floor does not hold for them. */
  readonly belowFloorTenants: readonly string[]
}

/** The score of a model at a kind of question; undefined where nobody measured it. */
export function scoreOf({ byClass }: Scores, taskClass: string, model: string): number | undefined {
  return byClass[taskClass]?.[model] ?? byClass['*']?.[model]
}

/** Why a model may not serve a kind of question; undefined where it may. */
export function belowFloor(scores: Scores, taskClass: string, model: string, tenant: string): string | undefined {
  const { floor, belowFloorTenants } = scores
  if (floor === undefined || belowFloorTenants.includes(tenant)) return undefined
  const score = scoreOf(scores, taskClass, model)
  if (score === undefined) return `it has no score for ${taskClass}, and the floor is ${floor}`
  return score < floor ? `its score of ${score} for ${taskClass} is below the floor of ${floor}` : undefined
}
