import { type Alternative, type Bus, type Clock, deploymentOf, type Logger } from '@switchyard/contract'
import { decodeHint, encodeHint } from './hint-message.ts'

/** What hints need from the plugin that holds them. */
export interface BreakerHintsParts {
  /** Undefined: nothing is told and nothing heard. */
  readonly bus: Bus | undefined
  /** Unlike that of any other node. */
  readonly node: string
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Logger, 'warn'>
  readonly topic: string
  /** No hint is believed for longer. */
  readonly hintMs: number
}

interface Hint {
  readonly version: number
  readonly until: number
}

/** Lanes that hints are kept of, and nodes for each: whoever can write to the bus must not fill the memory. */
const MOST_LANES = 4_096
const MOST_NODES = 64

/**
 * Tells other nodes of breakers that open or close here, and hears of theirs. A hint only lowers a rank: what is open elsewhere is tried
 * later as an alternative, and no breaker of this node goes by it.
 */
export class BreakerHints {
  private readonly parts: BreakerHintsParts
  private readonly heard = new Map<string, Map<string, Hint>>()
  private version = 0
  private leave: (() => Promise<void>) | undefined = undefined
  private closed = false
  private failing = false

  constructor(parts: BreakerHintsParts) {
    this.parts = parts
  }

  /** Listens. Never rejects: where the bus cannot be listened to, it is tried again at the next change of a breaker. */
  async start(): Promise<void> {
    const { bus, topic } = this.parts
    if (bus === undefined || this.leave !== undefined || this.closed) return
    try {
      const leave = await bus.subscribe(topic, (bytes) => this.hear(bytes))
      if (this.closed || this.leave !== undefined) return await leave()
      this.leave = leave
    } catch (error) {
      this.failed(error)
    }
  }

  /** Tells of a breaker that opened for `forMs`, or of one that closed by 0. Waits for nothing. */
  tell(operation: string, deployment: string, forMs: number): void {
    const { bus, node, clock } = this.parts
    if (bus === undefined || this.closed) return
    this.version = Math.max(this.version + 1, clock.now())
    void this.publish(bus, encodeHint({ node, version: this.version, operation, deployment, forMs }))
  }

  /** The same alternatives, those last whose breaker is open at another node. */
  ranked(operation: string, alternatives: readonly Alternative[]): readonly Alternative[] {
    if (this.heard.size === 0 || alternatives.length < 2) return alternatives
    const now = this.parts.clock.now()
    const later = alternatives.filter((each) => this.isOpenElsewhere(operation, deploymentOf(each), now))
    if (later.length === 0) return alternatives
    return [...alternatives.filter((each) => !later.includes(each)), ...later]
  }

  /** Whether any other node said so, and its time is not over. */
  isOpenElsewhere(operation: string, deployment: string, now: number): boolean {
    const key = keyOf(operation, deployment)
    const hints = this.heard.get(key)
    if (hints === undefined) return false
    let open = false
    let alive = false
    for (const { until } of hints.values()) {
      if (until > now) open = true
      // Of a breaker that closed the version is kept for a while, so that an older message which comes late does nothing.
      if (until + this.parts.hintMs > now) alive = true
    }
    if (!alive) this.heard.delete(key)
    return open
  }

  async close(): Promise<void> {
    this.closed = true
    await this.leave?.()
  }

  private hear(bytes: Uint8Array): void {
    const message = decodeHint(bytes)
    const { node, clock, hintMs } = this.parts
    if (message === undefined || message.node === node || this.closed) return
    const { version, operation, deployment, forMs } = message
    const key = keyOf(operation, deployment)
    let hints = this.heard.get(key)
    if (hints === undefined) {
      // Closed for all that is known here.
      if (forMs === 0) return
      if (this.heard.size >= MOST_LANES) this.heard.delete(this.heard.keys().next().value as string)
      hints = new Map()
      this.heard.set(key, hints)
    }
    const before = hints.get(message.node)
    if (before === undefined ? hints.size >= MOST_NODES : version <= before.version) return
    hints.set(message.node, { version, until: clock.now() + Math.min(forMs, hintMs) })
  }

  private async publish(bus: Bus, message: Uint8Array): Promise<void> {
    try {
      await this.start()
      await bus.publish(this.parts.topic, message)
      this.failing = false
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    if (!this.failing)
      this.parts.log.warn({ error }, 'the bus fails: nodes do not hear of each other’s breakers until it works again')
    this.failing = true
  }
}

function keyOf(operation: string, deployment: string): string {
  return `${operation} ${deployment}`
}
