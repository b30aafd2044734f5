import { type Bus, type Clock, type HealthState, type Logger, SwitchyardError } from '@switchyard/contract'
import type { Deployment, Hint, Verdict } from './deployment.ts'
import type { Deployments } from './deployments.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'
import type { FleetOptions } from './options.ts'
import type { Orders } from './orders.ts'
import type { Transitions } from './transitions.ts'

export interface FleetParts {
  readonly bus: Bus | undefined
  /** Unlike that of any other node. */
  readonly node: string
  /** Where decisions outlive the nodes. */
  readonly orders: Orders | undefined
  readonly options: FleetOptions
  readonly deployments: Deployments
  readonly transitions: Transitions
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly log: Pick<Logger, 'warn'>
}

/** What this node tells others and hears of them. Without a bus it tells nobody, and decisions stay here. */
export interface Fleet {
  /** Listens, and asks what persons decided before this node came. Never rejects. */
  start(): Promise<void>
  /** Tells of a change of state that was found here. */
  changed(deployment: Deployment, to: HealthState): void
  /** Takes up what is disabled by earlier orders. Rejects where they cannot be read, and `CONFIG_INVALID` where they are too many. */
  restore(): Promise<void>
  /**
   * Does what a person decided, here and, as far as the bus carries it, at every node. With orders it is written first: rejects where
   * that fails, and nothing has changed then.
   */
  decide(deployment: Deployment, decision: Pick<Verdict, 'disabled' | 'by' | 'reason'>): Promise<void>
  /** Says again what may have been lost. */
  round(now: number): Promise<void>
  close(): Promise<void>
}

/** Nodes whose hints about one deployment are kept. */
const MAX_NODES = 64
/** Longer texts of persons are cut, so that a message is never too large to be read. */
const MAX_TEXT = 1_000

/** @see Fleet */
export function joinFleet({ bus, node, orders, options, deployments, transitions, clock, log }: FleetParts): Fleet {
  let version = clock.now()
  let saidAt = Number.NEGATIVE_INFINITY
  let leave: (() => Promise<void>) | undefined
  let closed = false
  let failing = false
  /** Decisions of this node, one after the other. */
  let deciding: Promise<unknown> = Promise.resolve()

  async function tell(message: Message): Promise<void> {
    if (bus === undefined || closed) return
    try {
      await bus.publish(options.topic, encodeMessage(message))
      failing = false
    } catch (error) {
      if (!failing) log.warn({ error }, 'the bus takes no messages: other nodes hear nothing of health until it does')
      failing = true
    }
  }

  function hint(deployment: Deployment, now: number): Promise<void> {
    version = Math.max(version + 1, clock.now())
    const { until } = deployment.standing
    const forMs = Math.min(options.hintMs, Math.max(0, until - now))
    const weight = transitions.own(deployment, now)
    return tell({ kind: 'hint', node, version, deployment: deployment.name, weight, forMs })
  }

  function announce({ name, verdict }: Deployment): Promise<void> {
    if (verdict === undefined) return Promise.resolve()
    const { disabled, by, reason, at, node: origin } = verdict
    return tell({ kind: 'verdict', node, deployment: name, disabled, by, reason, at, origin })
  }

  function adopt(deployment: Deployment, verdict: Verdict): void {
    deployment.verdict = verdict
    if (!verdict.disabled) overrule(deployment)
    const { disabled, by, reason } = verdict
    transitions.apply(deployment, { type: disabled ? 'disabled' : 'enabled', reason }, clock.monotonic(), by)
  }

  /** Their versions stay known, so that a hint from before the decision does nothing after it. */
  function overrule({ hints }: Deployment): void {
    for (const [from, hint] of hints ?? []) hints?.set(from, { ...hint, factor: 1 })
  }

  function hear(bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (message === undefined || message.node === node || closed) return
    if (message.kind === 'ask') {
      for (const deployment of deployments.values()) if (deployment.verdict?.disabled) void announce(deployment)
    } else if (message.kind === 'hint') takeHint(message)
    else takeVerdict(message)
  }

  function takeHint(message: Extract<Message, { kind: 'hint' }>): void {
    const now = clock.monotonic()
    const well = message.weight >= 1
    const deployment = well ? deployments.get(message.deployment) : deployments.obtain(message.deployment, now)
    if (deployment === undefined) return
    deployment.hints ??= new Map()
    const before = deployment.hints.get(message.node)
    if (before === undefined ? deployment.hints.size >= MAX_NODES : message.version <= before.version) return
    // Of a node that sees it well again the version is kept for a while, so that an older hint which comes late does nothing.
    const hint: Hint = {
      version: message.version,
      factor: well ? 1 : Math.max(options.hintWeight, message.weight),
      until: now + (well ? options.hintMs : Math.min(options.hintMs, message.forMs)),
    }
    deployment.hints.set(message.node, hint)
  }

  function takeVerdict(message: Extract<Message, { kind: 'verdict' }>): void {
    const { disabled, by, reason, at, origin } = message
    const deployment = deployments.obtain(message.deployment, clock.monotonic())
    if (deployment === undefined) return
    const { verdict } = deployment
    const newer = verdict === undefined || at > verdict.at || (at === verdict.at && origin > verdict.node)
    if (newer) adopt(deployment, { disabled, by, reason, at, node: origin })
    else if (verdict.at !== at || verdict.node !== origin) void announce(deployment)
  }

  async function listen(): Promise<void> {
    if (bus === undefined || leave !== undefined || closed) return
    try {
      const end = await bus.subscribe(options.topic, hear)
      if (closed) return await end()
      leave = end
      await tell({ kind: 'ask', node })
    } catch (error) {
      if (!failing) log.warn({ error }, 'the bus cannot be listened to: nothing is heard of other nodes until it can')
      failing = true
    }
  }

  async function decide(deployment: Deployment, given: Pick<Verdict, 'disabled' | 'by' | 'reason'>): Promise<void> {
    const time = Math.max(clock.now(), (deployment.verdict?.at ?? 0) + 1)
    const by = given.by.slice(0, MAX_TEXT)
    const reason = given.reason.slice(0, MAX_TEXT)
    const verdict: Verdict = { disabled: given.disabled, by, reason, at: time, node }
    const at = orders === undefined ? time : await orders.write(deployment.name, verdict)
    // While it was written a later one may have come by the bus; the deployment may have been forgotten, too.
    const known = deployments.obtain(deployment.name, clock.monotonic()) ?? deployment
    if (known.verdict !== undefined && known.verdict.at > at) return
    adopt(known, { ...verdict, at })
    await announce(known)
  }

  return {
    start: listen,

    changed(deployment, to) {
      if (bus !== undefined && to !== 'disabled') void hint(deployment, clock.monotonic())
    },

    async restore() {
      for (const { deployment: name, verdict } of (await orders?.disabled()) ?? []) {
        const deployment = deployments.obtain(name, clock.monotonic())
        if (deployment === undefined) {
          const what = `${deployments.size} deployments, which is maxDeployments, are disabled and not yet all: raise it`
          throw new SwitchyardError('CONFIG_INVALID', what)
        }
        adopt(deployment, verdict)
      }
    },

    decide(deployment, decision) {
      const done = deciding.then(() => decide(deployment, decision))
      deciding = done.catch(() => {})
      return done
    },

    async round(now) {
      if (bus === undefined || now - saidAt < options.hintMs / 2) return
      saidAt = now
      await listen()
      for (const deployment of deployments.values()) {
        const { state } = deployment.standing
        if (state === 'disabled') void announce(deployment)
        else if (state !== 'healthy') void hint(deployment, now)
      }
    },

    async close() {
      closed = true
      await leave?.()
    },
  }
}
