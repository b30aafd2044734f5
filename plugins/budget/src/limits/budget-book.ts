import type { Principal } from '@switchyard/contract'
import { kept, plain } from '../attempt/tags.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Budget } from './budget.ts'
import { type Claim, claimOf } from './claim.ts'
import type { BudgetLevel } from './definition.ts'
import { type BudgetKey, budgetKey } from './keys.ts'
import { type BudgetWindow, windowAt } from './window.ts'

/** Whom an attempt is counted for. */
export interface Payer {
  readonly principal: Principal
  readonly model: string
  readonly provider: string
}

/** What of a payer's claims holds until the first of their windows ends. */
export interface StandingClaims {
  readonly version: number
  /** Epoch ms. */
  readonly until: number
  readonly claims: readonly Claim[]
}

const MAX_CLAIMS = 200_000
const MAX_TENANTS = 10_000
/** Levels whose value may differ from call to call of one payer. */
const PER_CALL: ReadonlySet<BudgetLevel> = new Set<BudgetLevel>(['tag', 'session'])
const NONE: readonly Claim[] = Object.freeze([])

/** The budgets that hold now, and the claims that calls make on them. */
export class BudgetBook {
  /** Grows with every change of the budgets. */
  version = 0
  /** Tenants that have made claims since the start, at most 10,000. */
  readonly tenants: Set<string> = new Set()
  /** Names of the tags that budgets count by. */
  tagNames: readonly string[] = []
  readonly #longestLeaseMs: number
  #budgets: ReadonlyMap<string, Budget> = new Map()
  #standing: readonly Budget[] = []
  #perCall: readonly Budget[] = []
  #claims = new BoundedMap<string, Claim>(MAX_CLAIMS)
  #before = new BoundedMap<string, Claim>(MAX_CLAIMS)
  readonly #windows = new Map<string, BudgetWindow>()

  constructor(longestLeaseMs: number) {
    this.#longestLeaseMs = longestLeaseMs
  }

  get isEmpty(): boolean {
    return this.#budgets.size === 0
  }

  /** Whether tags or sessions have to be looked at. */
  get asksCalls(): boolean {
    return this.#perCall.length > 0
  }

  get(name: string): Budget | undefined {
    return this.#budgets.get(name)
  }

  all(): IterableIterator<Budget> {
    return this.#budgets.values()
  }

  /** Puts these budgets in place of all others. Sums as last seen stay with a budget whose counters stay. */
  replace(budgets: readonly Budget[]): void {
    this.#budgets = new Map(budgets.map((budget) => [budget.name, budget]))
    this.#standing = budgets.filter(({ level }) => !PER_CALL.has(level))
    this.#perCall = budgets.filter(({ level }) => PER_CALL.has(level))
    this.tagNames = [...new Set(this.#perCall.flatMap(({ tag }) => tag ?? []))]
    this.#before = this.#claims
    this.#claims = new BoundedMap(MAX_CLAIMS)
    this.#windows.clear()
    this.version += 1
  }

  /** Claims that every call of a payer makes. */
  standing(payer: Payer, now: number): StandingClaims {
    const claims: Claim[] = []
    let until = Number.POSITIVE_INFINITY
    for (const budget of this.#standing) {
      const value = valueAt(budget.level, payer)
      if (value === undefined) continue
      const claim = this.#claim(budget, payer.principal.tenant, plain(value), now)
      if (claim === undefined) continue
      claims.push(claim)
      until = Math.min(until, claim.window.endsAt ?? until)
    }
    return { version: this.version, until, claims }
  }

  /** Claims that one call makes by its tags and its session. */
  perCall(tenant: string, tags: Readonly<Record<string, unknown>>, session: string | undefined, now: number): readonly Claim[] {
    let claims: Claim[] | undefined
    for (const budget of this.#perCall) {
      const value = budget.level === 'session' ? session : tagOf(tags, budget.tag)
      if (value === undefined || value === '') continue
      const claim = this.#claim(budget, tenant, kept(value), now)
      if (claim === undefined) continue
      claims ??= []
      claims.push(claim)
    }
    return claims ?? NONE
  }

  /** The claim that a counter belongs to, where its budget still has that window. */
  ofKey(parts: BudgetKey, now: number): Claim | undefined {
    const budget = this.#budgets.get(parts.budget)
    if (budget === undefined || budget.since !== parts.since) return undefined
    const known = this.#claims.get(budgetKey(parts.tenant, budget, parts.windowId, parts.value))
    if (known !== undefined) return known
    const claim = this.#claim(budget, parts.tenant, parts.value, now)
    return claim?.window.id === parts.windowId ? claim : undefined
  }

  /** The window of a budget that holds now. */
  windowOf(budget: Budget, now: number): BudgetWindow {
    const name = `${budget.window} ${budget.timeZone}`
    const known = this.#windows.get(name)
    if (known !== undefined && now >= known.startsAt && (known.endsAt === undefined || now < known.endsAt)) return known
    const window = windowAt(budget.window, budget.timeZone, now)
    this.#windows.set(name, window)
    return window
  }

  #claim(budget: Budget, tenant: string, value: string, now: number): Claim | undefined {
    if (!budget.forTenant(tenant) || !budget.covers(value)) return undefined
    const window = this.windowOf(budget, now)
    const key = budgetKey(tenant, budget, window.id, value)
    const known = this.#claims.get(key)
    if (known !== undefined) return known
    const claim = claimOf(budget, tenant, value, window, this.#longestLeaseMs)
    if (this.tenants.size < MAX_TENANTS) this.tenants.add(tenant)
    const before = this.#before.get(key)
    if (before !== undefined) {
      claim.used = before.used
      claim.settled = before.settled
    }
    this.#claims.set(key, claim)
    return claim
  }
}

/** The value by which a tag is counted; undefined for a call without it. */
export function tagOf(tags: Readonly<Record<string, unknown>>, name: string | undefined): string | undefined {
  if (name === undefined || !Object.hasOwn(tags, name)) return undefined
  const value = tags[name]
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function valueAt(level: BudgetLevel, { principal, model, provider }: Payer): string | undefined {
  switch (level) {
    case 'org':
      return principal.tenant
    case 'team':
      return principal.team
    case 'key':
      return principal.keyId
    case 'user':
      return principal.user
    case 'model':
      return model
    case 'provider':
      return provider
    default:
      return undefined
  }
}
