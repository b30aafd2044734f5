import type {
  Bus,
  Clock,
  Counters,
  Health,
  HealthChange,
  Logger,
  ModelProvider,
  Policy,
  SqlDatabase,
} from '@switchyard/contract'
import { bookOfDeployments } from './deployments.ts'
import { findings } from './findings.ts'
import { joinFleet } from './fleet.ts'
import { healthPort } from './health-port.ts'
import { observePolicy } from './observe-policy.ts'
import type { HealthOptions } from './options.ts'
import { openOrders } from './orders.ts'
import { learnPools } from './pools.ts'
import { startProbes } from './probes.ts'
import { reviewer } from './review.ts'
import { startRounds } from './rounds.ts'
import { transitions } from './transitions.ts'

export interface AssembleOptions {
  readonly options: HealthOptions
  readonly instance: string
  /** Unlike that of any other node. */
  readonly node: string
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly bus: Bus | undefined
  readonly counters: Counters | undefined
  /** Where decisions of persons are kept; undefined: in memory alone. */
  readonly sql: SqlDatabase | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly emit: (change: HealthChange) => void
}

export interface Assembled {
  readonly port: Health
  readonly policy: Policy
  /** Takes up what persons decided, and joins the other nodes. Rejects where the database does not tell it. */
  start(): Promise<void>
  /** Ends every timer, probe and subscription. */
  close(): Promise<void>
}

const ROUND_MS = 1_000
const MAX_POOLS = 1_000

/** Puts the parts together: what is observed leads to findings, these to changes of state, and those to whoever is told. */
export async function assemble(parts: AssembleOptions): Promise<Assembled> {
  const { options, instance, node, providers, clock, random, log, emit } = parts
  const { failures, ejection } = options
  const shared = parts.bus?.capabilities.shared ?? false
  const orders = parts.sql && (await openOrders(parts.sql))

  const deployments = bookOfDeployments({
    maxDeployments: options.maxDeployments,
    windowMs: failures.windowMs,
    clock,
    onForget: (deployment) => pools.forget(deployment),
  })
  const pools = learnPools({ maxShare: ejection.maxShare, maxPools: MAX_POOLS, find: deployments.obtain })
  const moves = transitions({
    rules: {
      ejectionMs: ejection.baseMs,
      maxEjectionMs: ejection.maxMs,
      slowStartMs: ejection.slowStartMs,
      slowStartWeight: ejection.slowStartWeight,
      degradedWeight: options.degradedWeight,
      holdMs: options.degradedHoldMs,
    },
    clock,
    historySize: options.historySize,
    log,
    onChange(deployment, change) {
      rounds.wake()
      fleet.changed(deployment, change.to)
      emit(change)
    },
  })
  const found = findings({ options, pools, transitions: moves, clock, random })
  const fleet = joinFleet({ bus: parts.bus, node, orders, options: options.fleet, deployments, transitions: moves, clock, log })
  const told = parts.bus !== undefined
  const review = reviewer({
    deployments,
    transitions: moves,
    findings: found,
    fleet,
    shared: told,
    windowMs: failures.windowMs,
  })
  const rounds = startRounds(clock, ROUND_MS, review)
  const policy = observePolicy({
    name: `${instance}/observe`,
    latency: options.latency,
    clock,
    deployments,
    pools,
    transitions: moves,
    findings: found,
    selectors: selectorsOf(providers),
    onAttempt: rounds.wake,
  })
  const port = healthPort({ shared, deployments, transitions: moves, fleet, clock })
  const stopProbes = startProbes({
    options: options.probes,
    providers,
    counters: parts.counters,
    node,
    deployments,
    findings: found,
    clock,
    random,
    log,
  })
  return {
    port,
    policy,
    async start() {
      await fleet.restore()
      await fleet.start()
    },
    async close() {
      stopProbes()
      rounds.stop()
      await fleet.close()
    },
  }
}

function selectorsOf(providers: ReadonlyMap<string, ModelProvider>): ReadonlyMap<string, readonly string[]> {
  const selectors = new Map<string, readonly string[]>()
  for (const [name, { capabilities }] of providers) {
    if (capabilities.selectors !== undefined && capabilities.selectors.length > 0) selectors.set(name, capabilities.selectors)
  }
  return selectors
}
