import type {
  Call,
  Decision,
  RankedTarget,
  StrategyCandidate,
  StrategyKnowledge,
  Strategy as StrategyPort,
} from '@switchyard/contract'

/** Names of the deployments in an order. */
export function namesOf(order: readonly RankedTarget[]): readonly string[] {
  return order.map(({ target }) => target.deployment)
}

/** A candidate by its name, of which little else is known. */
export function candidateOf(name: string, facts: Partial<Omit<StrategyCandidate, 'target'>> = {}): StrategyCandidate {
  const target = { instance: 'p', model: `p/${name}`, deployment: `p/p/${name}`, weight: 1 }
  return deepFrozen({ target, health: undefined, expectedCost: undefined, ...facts })
}

/** Lists of candidates that a strategy must cope with: none, one, alike, priced or not, well or not, weightless. */
export function everyPool(): readonly (readonly StrategyCandidate[])[] {
  const well = { deployment: 'd', state: 'healthy', since: 0, reason: '', weight: 1, inFlight: 0 } as const
  const unsampled = { ...well, firstTokenMs: undefined, successRate: undefined }
  return deepFrozen([
    [],
    [candidateOf('a')],
    [candidateOf('b'), candidateOf('a'), candidateOf('c')],
    [candidateOf('c', { expectedCost: 5 }), candidateOf('a', { expectedCost: 5 }), candidateOf('b')],
    [candidateOf('a', { expectedCost: 0 }), candidateOf('b', { expectedCost: Number.MAX_SAFE_INTEGER })],
    [
      candidateOf('a', { health: unsampled }),
      candidateOf('b', { health: { ...unsampled, state: 'ejected', weight: 0 } }),
      candidateOf('c', { health: { ...unsampled, state: 'degraded', weight: 0.25, inFlight: 9, firstTokenMs: 900 } }),
    ],
    [{ ...candidateOf('a'), target: { ...candidateOf('a').target, weight: 0 } }, candidateOf('b')],
  ])
}

/** What is known at a call; draws follow from the seed. */
export function knowing(seed = 1, facts: Partial<Omit<StrategyKnowledge, 'random' | 'budgets'>> = {}): StrategyKnowledge {
  let state = seed
  return {
    random() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    },
    stickyKey: undefined,
    taskClass: 'chat',
    budgets: () => [],
    ...facts,
  }
}

/** A call for a public name; whoever writes to it meets a TypeError. */
export function callOf(body: Readonly<Record<string, unknown>> = {}): Call<'model.invoke'> {
  const decisions: Decision[] = []
  return Object.freeze({
    id: 'call',
    operation: 'model.invoke',
    target: 'routing',
    request: deepFrozen({
      endpoint: 'chat/completions' as const,
      model: 'chat',
      body: { messages: [], ...body },
      stream: false,
    }),
    principal: deepFrozen({ tenant: 'acme', keyId: 'key', roles: [] }),
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: Object.freeze({}),
    trace: { decisions, measures: new Map(), decide: () => {}, measure: () => {} },
  } as const)
}

/** The order by a strategy, drawn from one seed. */
export function rankedBy(strategy: StrategyPort, pool: readonly StrategyCandidate[], seed = 1): readonly RankedTarget[] {
  return strategy.rank(callOf(), pool, knowing(seed))
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFrozen(item)
    Object.freeze(value)
  }
  return value
}
