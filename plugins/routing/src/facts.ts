import type { Catalog, CatalogSource, Entry } from '@switchyard/catalog'
import type {
  BudgetStanding,
  Budgets,
  Call,
  Clock,
  Health,
  ModelProvider,
  ModelRequest,
  TargetHealth,
} from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import type { Expectations } from './expectations.ts'
import { type Features, featuresOf, outputLimitOf } from './features.ts'
import type { Demand } from './fitness.ts'
import type { AnswerKind } from './learned/index.ts'
import { expectedCost, nearestRoom, warmCost } from './prices.ts'
import { taskClassFor } from './shape.ts'
import type { Target } from './table.ts'

/** What is asked of a call, each worked out at most once and only when somebody looks. A class, since every call may make one. */
export class RequestFacts implements Demand {
  readonly inputTokensBound: number
  readonly outputTokens: number
  readonly #call: Call<'model.invoke'>
  readonly #estimate: (request: ModelRequest) => number
  #features: Features | undefined
  #inputTokens: number | undefined
  private asked: string | undefined = undefined
  /** What the route says of its answers. */
  answer: AnswerKind | undefined = undefined
  /** Tokens of the prompt that a deployment's cache holds, where the route keeps sessions. */
  warmth: ((deployment: string) => number) | undefined = undefined

  constructor(call: Call<'model.invoke'>, estimate: (request: ModelRequest) => number) {
    const { request } = call
    this.#call = call
    this.#estimate = estimate
    // A token is at least one byte of the body, and an image or a file is far fewer tokens than bytes.
    this.inputTokensBound = request.raw?.byteLength ?? Number.POSITIVE_INFINITY
    this.outputTokens = outputLimitOf(request) ?? 0
  }

  get features(): Features {
    this.#features ??= featuresOf(this.#call.request)
    return this.#features
  }

  inputTokens(): number {
    this.#inputTokens ??= this.#estimate(this.#call.request)
    return this.#inputTokens
  }

  get taskClass(): string {
    this.asked ??= taskClassFor(this.#call.request, this.answer)
    return this.asked
  }

  get keyId(): string {
    return this.#call.principal.keyId
  }

  /** The text that a sticky choice hangs on; undefined where the call has none. The tenant is always part of it. */
  stickyKey(by: string | undefined): string | undefined {
    if (by === undefined) return undefined
    const { principal, request } = this.#call
    const value = by.startsWith('metadata.') ? metadataOf(request)[by.slice('metadata.'.length)] : principalValue(principal, by)
    return typeof value === 'string' && value !== '' ? `${principal.tenant}\n${value}` : undefined
  }
}

function principalValue(principal: Call['principal'], by: string): string | undefined {
  switch (by) {
    case 'tenant':
      return principal.tenant
    case 'team':
      return principal.team
    case 'user':
      return principal.user
    default:
      return principal.keyId
  }
}

/** What a ranking knows beside the call. */
export interface Knowledge {
  readonly random: () => number
  readonly checkCapabilities: boolean
  healthOf(deployment: string): TargetHealth | undefined
  entryOf(target: Target): Entry | undefined
  /** In pico-USD; undefined where the catalog has no price. */
  costOf(target: Target, facts: RequestFacts): number | undefined
  /** The same by what replies have been like, and by what is in the target's prompt cache. */
  expectedCostOf(target: Target, facts: RequestFacts): number | undefined
  /** Budgets that a call counts against, the most used first; none without such a plugin. */
  budgetsOf(call: Call): readonly BudgetStanding[]
  /** Why a provider cannot take a request at all: an endpoint or streaming that it does not declare. */
  missing(instance: string, request: ModelRequest): string | undefined
  /** The catalog id of the smallest model that has room, of the providers of these targets. */
  nearestWithRoom(targets: readonly Target[], facts: RequestFacts): string | undefined
}

export interface KnowledgeParts {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly health: Health | undefined
  readonly catalog: CatalogSource | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly random: () => number
  readonly checkCapabilities: boolean
  readonly expectedOutputTokens: number
  readonly budgets: Budgets | undefined
  readonly expectations: Expectations
}

const NO_BUDGETS: readonly BudgetStanding[] = Object.freeze([])

/** Joins what the other plugins know. Reads are of the moment: the catalog and health may change between calls. */
export function knowledgeOf(parts: KnowledgeParts): Knowledge {
  const { providers, health, catalog, clock, random, checkCapabilities, expectedOutputTokens, budgets, expectations } = parts
  const current = (): Catalog | undefined => catalog?.current()
  return {
    random,
    checkCapabilities: checkCapabilities && catalog !== undefined,
    healthOf: (deployment) => health?.of(deployment),
    entryOf: ({ model }) => current()?.get(model),
    costOf({ model }, facts) {
      const entry = current()?.get(model)
      if (entry === undefined) return undefined
      const outputTokens = facts.outputTokens === 0 ? expectedOutputTokens : Math.min(facts.outputTokens, expectedOutputTokens)
      return expectedCost(entry, { inputTokens: facts.inputTokens(), outputTokens }, clock.now())
    },
    expectedCostOf({ model, deployment }, facts) {
      const entry = current()?.get(model)
      if (entry === undefined) return undefined
      const seen = expectations.of(model, facts.taskClass, facts.keyId) ?? expectedOutputTokens
      const outputTokens = facts.outputTokens === 0 ? seen : Math.min(facts.outputTokens, seen)
      const inputTokens = facts.inputTokens()
      const warm = facts.warmth?.(deployment) ?? 0
      return warmCost(entry, { inputTokens, outputTokens, cacheReadTokens: Math.min(warm, inputTokens) }, clock.now())
    },
    budgetsOf: (call) => budgets?.of(call) ?? NO_BUDGETS,
    missing(instance, { endpoint, stream }) {
      const capabilities = providers.get(instance)?.capabilities
      if (capabilities === undefined) return `there is no provider "${instance}"`
      if (!capabilities.endpoints.includes(endpoint)) return `${instance} does not serve ${endpoint}`
      return stream && !capabilities.streaming ? `${instance} does not stream` : undefined
    },
    nearestWithRoom(targets, facts) {
      const catalogNow = current()
      if (catalogNow === undefined) return undefined
      const names = new Set(targets.map(({ model }) => model.slice(0, model.indexOf('/'))))
      return nearestRoom(catalogNow, [...names], facts.inputTokens() + facts.outputTokens)
    },
  }
}
