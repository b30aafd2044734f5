import type { HealthState } from '@switchyard/contract'

/** What may be held against a deployment that serves on. */
export type BurdenCause = 'slow' | 'failing' | 'limited' | 'quota'

/** Lowers the weight until its time is over; at most one of each cause. */
export interface Burden {
  readonly cause: BurdenCause
  /** In (0, 1]. */
  readonly weight: number
  readonly until: number
  readonly reason: string
}

/** Where a deployment stands. Times are monotonic milliseconds. */
export interface Standing {
  readonly state: HealthState
  readonly since: number
  /** When the state ends by itself; Infinity where time alone ends nothing. */
  readonly until: number
  readonly reason: string
  /** Ejections one after another, for failing: each lasts longer. */
  readonly ejections: number
  /** Ejected because the provider asked to wait, which says nothing against it. */
  readonly cooling: boolean
  readonly burdens: readonly Burden[]
  /** Successes in a row while ejected. */
  readonly proofs: number
}

export interface StandingRules {
  readonly ejectionMs: number
  readonly maxEjectionMs: number
  readonly slowStartMs: number
  /** Weight at which a slow start begins, in (0, 1]. */
  readonly slowStartWeight: number
  readonly degradedWeight: number
  /** How long a finding holds after it was last made. */
  readonly holdMs: number
}

export type StandingEvent =
  /** Time passed: makes the one transition that is due first. */
  | { readonly type: 'passed' }
  /** Found to fail. `spared` says why it may not be ejected; `jitter` in [0, 1) spreads the returns of several nodes. */
  | { readonly type: 'failed'; readonly reason: string; readonly spared: string | undefined; readonly jitter: number }
  /** The provider asked to wait. */
  | { readonly type: 'cooled'; readonly reason: string; readonly forMs: number; readonly spared: string | undefined }
  | {
      readonly type: 'burdened'
      readonly cause: BurdenCause
      readonly weight: number
      readonly forMs: number
      readonly reason: string
    }
  | { readonly type: 'relieved'; readonly cause: BurdenCause; readonly reason: string }
  /** A call that began after the ejection ended well. */
  | { readonly type: 'proved' }
  | { readonly type: 'probed'; readonly well: boolean }
  | { readonly type: 'disabled'; readonly reason: string }
  | { readonly type: 'enabled'; readonly reason: string }

/** Successes in a row that end a first ejection before its time. */
const PROOFS = 2
/** As many times more for each further one, so that what fails now and then does not flap. */
const PROOFS_GROWTH = 4
/** Share by which an ejection may be shorter or longer. */
const JITTER = 0.2
/** Healthy for as many base ejections, a deployment's past ones are forgotten. */
const FORGIVEN_AFTER = 10

/** A deployment that nothing is known against. */
export function wellSince(now: number, reason = ''): Standing {
  return {
    state: 'healthy',
    since: now,
    until: Number.POSITIVE_INFINITY,
    reason,
    ejections: 0,
    cooling: false,
    burdens: [],
    proofs: 0,
  }
}

/**
 * The state machine of one deployment: pure, and the same object where nothing changes. Give it `passed` until it rests before any
 * other event, so that what time alone ends has ended.
 */
export function step(standing: Standing, event: StandingEvent, now: number, rules: StandingRules): Standing {
  if (event.type === 'disabled') return disabled(standing, event.reason, now)
  if (event.type === 'enabled') return standing.state === 'healthy' ? standing : wellSince(now, event.reason)
  if (standing.state === 'disabled') return standing
  switch (event.type) {
    case 'passed':
      return passed(standing, now, rules)
    case 'failed':
      if (standing.state === 'ejected') return standing.proofs === 0 ? standing : { ...standing, proofs: 0 }
      if (event.spared === undefined) return ejected(standing, event.reason, event.jitter, now, rules)
      return burdened(standing, spared('failing', `${event.reason}; ${event.spared}`, rules.holdMs, now, rules), now)
    case 'cooled':
      return cooled(standing, event, now, rules)
    case 'burdened':
      return burdened(standing, { ...event, until: now + event.forMs }, now)
    case 'relieved':
      return relieved(standing, event.cause, event.reason, now)
    case 'proved':
      return standing.state === 'ejected' && !standing.cooling ? proved(standing, now, rules) : standing
    case 'probed':
      return standing.state === 'ejected' && !standing.cooling ? probed(standing, event.well, now, rules) : standing
  }
}

/** Share of its usual traffic that a deployment should get now, in [0, 1]. */
export function weightOf(standing: Standing, now: number, rules: StandingRules): number {
  const { state, since, burdens } = standing
  if (state === 'healthy') return 1
  if (state === 'disabled' || state === 'ejected') return 0
  let weight = 1
  for (const burden of burdens) if (burden.until > now && burden.weight < weight) weight = burden.weight
  if (state === 'degraded') return weight
  const ramp = rules.slowStartMs === 0 ? 1 : Math.min(1, Math.max(0, (now - since) / rules.slowStartMs))
  return weight * (rules.slowStartWeight + (1 - rules.slowStartWeight) * ramp)
}

function passed(standing: Standing, now: number, rules: StandingRules): Standing {
  const { state, until, since } = standing
  if (state === 'ejected') {
    if (now < until) return standing
    return standing.cooling ? rest(standing, 'the time to wait is over', until, now) : recovering(standing, until, rules)
  }
  if (state === 'recovering') return now < until ? standing : rest(standing, 'its slow start is over', until, now)
  if (state === 'degraded') return now < until ? standing : lightened(standing, now)
  const forgiven = standing.ejections > 0 && now - since >= FORGIVEN_AFTER * rules.ejectionMs
  return forgiven ? { ...standing, ejections: 0 } : standing
}

/** Back among those that serve, at `since`: degraded where something is still held against it. */
function rest(standing: Standing, reason: string, since: number, now: number): Standing {
  const burdens = standing.burdens.filter((burden) => burden.until > now)
  const last = burdens.at(-1)
  const common = { since, burdens, ejections: standing.ejections, cooling: false, proofs: 0 }
  return last === undefined
    ? { ...common, state: 'healthy', reason, until: Number.POSITIVE_INFINITY }
    : { ...common, state: 'degraded', reason: last.reason, until: soonest(burdens) }
}

function lightened(standing: Standing, now: number): Standing {
  const burdens = standing.burdens.filter((burden) => burden.until > now)
  const last = burdens.at(-1)
  if (last === undefined) return rest(standing, 'nothing is held against it any more', standing.until, now)
  return { ...standing, burdens, reason: last.reason, until: soonest(burdens) }
}

function recovering(standing: Standing, since: number, rules: StandingRules): Standing {
  const reason = `back with ${Math.round(rules.slowStartWeight * 100)} % of its traffic, growing for ${rules.slowStartMs} ms`
  return { ...standing, state: 'recovering', since, until: since + rules.slowStartMs, reason, cooling: false, proofs: 0 }
}

function ejected(standing: Standing, reason: string, jitter: number, now: number, rules: StandingRules): Standing {
  const ejections = standing.ejections + 1
  const usualMs = Math.min(rules.maxEjectionMs, rules.ejectionMs * ejections)
  const until = now + usualMs * (1 - JITTER + 2 * JITTER * jitter)
  const burdens = standing.burdens.filter(({ cause }) => cause === 'quota' || cause === 'limited')
  return { state: 'ejected', since: now, until, reason, ejections, cooling: false, burdens, proofs: 0 }
}

function cooled(
  standing: Standing,
  event: Extract<StandingEvent, { type: 'cooled' }>,
  now: number,
  rules: StandingRules,
): Standing {
  const until = now + event.forMs
  if (standing.state === 'ejected') return until > standing.until ? { ...standing, until } : standing
  if (event.spared !== undefined) {
    return burdened(standing, spared('limited', `${event.reason}; ${event.spared}`, event.forMs, now, rules), now)
  }
  // Of one that was coming back, the slow start begins anew afterwards.
  const cooling = standing.state !== 'recovering'
  return { ...standing, state: 'ejected', since: now, until, reason: event.reason, cooling, proofs: 0 }
}

function spared(cause: BurdenCause, reason: string, forMs: number, now: number, rules: StandingRules): Burden {
  return { cause, reason, until: now + forMs, weight: rules.degradedWeight }
}

function burdened(standing: Standing, { cause, weight, until, reason }: Burden, now: number): Standing {
  const before = standing.burdens.find((burden) => burden.cause === cause)
  const own: Burden = { cause, weight, until: Math.max(until, before?.until ?? 0), reason }
  const burdens = [...standing.burdens.filter((burden) => burden.cause !== cause && burden.until > now), own]
  if (standing.state === 'healthy')
    return { ...standing, state: 'degraded', since: now, until: soonest(burdens), reason, burdens }
  return standing.state === 'degraded' ? { ...standing, until: soonest(burdens), reason, burdens } : { ...standing, burdens }
}

function relieved(standing: Standing, cause: BurdenCause, reason: string, now: number): Standing {
  const burdens = standing.burdens.filter((burden) => burden.cause !== cause)
  if (burdens.length === standing.burdens.length) return standing
  const left = { ...standing, burdens }
  if (standing.state !== 'degraded') return left
  const last = burdens.at(-1)
  return last === undefined ? rest(left, reason, now, now) : { ...left, reason: last.reason, until: soonest(burdens) }
}

function proved(standing: Standing, now: number, rules: StandingRules): Standing {
  const proofs = standing.proofs + 1
  return proofs < PROOFS * PROOFS_GROWTH ** (standing.ejections - 1)
    ? { ...standing, proofs }
    : recovering(standing, now, rules)
}

/** A probe is a weaker proof than a call: it shortens the first ejection only, so that one who merely probes well cannot flap. */
function probed(standing: Standing, well: boolean, now: number, rules: StandingRules): Standing {
  if (well) return standing.ejections === 1 ? proved(standing, now, rules) : standing
  const until = Math.max(standing.until, Math.min(standing.since + rules.maxEjectionMs, now + rules.ejectionMs))
  return until === standing.until && standing.proofs === 0 ? standing : { ...standing, until, proofs: 0 }
}

function disabled(standing: Standing, reason: string, now: number): Standing {
  if (standing.state === 'disabled') return standing
  return { ...wellSince(now, reason), state: 'disabled' }
}

function soonest(burdens: readonly Burden[]): number {
  return burdens.reduce((until, burden) => Math.min(until, burden.until), Number.POSITIVE_INFINITY)
}
