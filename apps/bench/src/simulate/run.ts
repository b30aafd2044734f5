import {
  type Alternative,
  type Call,
  type Next,
  type Operation,
  type Policy,
  type Reply,
  SwitchyardError,
} from '@switchyard/contract'
import { type ResilienceInput, resilience } from '@switchyard/resilience'
import { startPlugin, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { percentile } from '../measure/statistics.ts'
import { seeded } from './seeded.ts'

/** What a target does with one attempt. */
export interface Answer {
  readonly afterMs: number
  readonly fails?: boolean
}

/** What a target sees when an attempt reaches it. */
export interface Arrival {
  readonly target: string
  /** Since the run began. */
  readonly atMs: number
  /** Attempts under way at that target, this one included. */
  readonly inFlight: number
  readonly random: () => number
}

export interface Scenario {
  readonly options: ResilienceInput
  readonly targets: readonly string[]
  readonly answer: (arrival: Arrival) => Answer
  /** Calls a second, at random times. */
  readonly rate: number
  readonly seconds: number
  /** What a caller waits for. */
  readonly deadlineMs: number
}

export interface Outcome {
  readonly calls: number
  readonly served: number
  /** Refused by a guard before anything was dialled. */
  readonly refused: number
  readonly attempts: number
  /** Of those served, in ms. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

const STAGES = ['admit', 'resilience']

/** Runs a scenario through the real plugin on a virtual clock. The same seed gives the same outcome. */
export async function simulate(scenario: Scenario, seed: number): Promise<Outcome> {
  const clock = virtualClock()
  const random = seeded(seed)
  const options = { ...scenario.options, shed: { enabled: false }, deadline: { totalMs: scenario.deadlineMs } }
  await using plugin = await startPlugin(resilience(options), { clock, random: seeded(seed + 1) })
  const world = new World(scenario, clock, random)
  const send = chain(plugin.policies, world.next)
  const times: number[] = []
  let refused = 0
  const pending: Promise<void>[] = []
  let calls = 0
  for (let at = 0; at < scenario.seconds * 1_000; ) {
    const gap = -Math.log(1 - random()) * (1_000 / scenario.rate)
    at += gap
    await clock.advance(gap)
    const call = world.call(calls++)
    const startedAt = clock.monotonic()
    pending.push(
      send(call).then(
        () => void times.push(clock.monotonic() - startedAt),
        (error: unknown) => {
          if (SwitchyardError.is(error) && error.details?.guard !== undefined) refused++
        },
      ),
    )
  }
  await clock.advance(scenario.deadlineMs + 1)
  await Promise.all(pending)
  const [p50Ms, p95Ms, p99Ms] = [50, 95, 99].map((rank) => percentile(times, rank)) as [number, number, number]
  return { calls, served: times.length, refused, attempts: world.attempts, p50Ms, p95Ms, p99Ms }
}

function chain(policies: readonly Policy[], end: Next): Next {
  const ordered = STAGES.flatMap((stage) => policies.filter((policy) => policy.stage === stage))
  return ordered.reduceRight<Next>((next, policy) => (call) => policy.around(call, next), end)
}

/** The targets of a scenario, and its callers. */
class World {
  attempts = 0
  private readonly scenario: Scenario
  private readonly clock: VirtualClock
  private readonly random: () => number
  private readonly inFlight = new Map<string, number>()

  constructor(scenario: Scenario, clock: VirtualClock, random: () => number) {
    this.scenario = scenario
    this.clock = clock
    this.random = random
  }

  readonly next: Next = async ({ target, signal }): Promise<Reply<Operation>> => {
    this.attempts++
    this.count(target, 1)
    try {
      const atMs = this.clock.monotonic()
      const inFlight = this.inFlight.get(target) ?? 0
      const { afterMs, fails } = this.scenario.answer({ target, atMs, inFlight, random: this.random })
      await this.clock.sleep(afterMs, signal)
      if (fails) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'simulated failure', { details: { status: 500 } })
      return { rows: [], rowCount: 0 }
    } finally {
      this.count(target, -1)
    }
  }

  call(index: number): Call {
    const measures = new Map<string, number>()
    const [target, ...others] = this.scenario.targets as readonly [string, ...string[]]
    const request = { sql: 'select 1', params: [] }
    return {
      id: `call-${index}`,
      operation: 'sql.query',
      target,
      request,
      principal: { tenant: 'acme', keyId: 'k', roles: [] },
      signal: NEVER,
      deadline: undefined,
      attempt: 1,
      idempotent: true,
      attributes: {},
      alternatives: others.map((other): Alternative => ({ target: other, request, attributes: {} })),
      trace: {
        decisions: [],
        measures,
        decide: () => {},
        measure: (name, value) => void measures.set(name, (measures.get(name) ?? 0) + value),
      },
    }
  }

  private count(target: string, change: number): void {
    this.inFlight.set(target, (this.inFlight.get(target) ?? 0) + change)
  }
}

const NEVER = new AbortController().signal
