import type { Usage } from '@switchyard/contract'
import { type Prospect, regretOf, type TurnPrices } from './regret.ts'
import { SessionLengths } from './session-lengths.ts'

/** What is remembered of a session. */
interface Session {
  /** Deployment that it is pinned to. */
  pinned: string
  /** Tokens of the prompt and reply that the pinned deployment's cache holds. */
  warm: number
  turns: number
  /** Sums over turns, for their means. */
  growth: number
  grown: number
  output: number
  answered: number
  /** It went up for quality, and does not come back before it idled. */
  raised: boolean
  /** Epoch ms at which the provider has forgotten it. */
  until: number
}

export interface SessionOptions {
  /** How long a provider's prompt cache keeps what was used, refreshed on use. */
  readonly ttlMs: number
  readonly maxSessions: number
  /** Turns of a session while nothing is known of any. */
  readonly expectedTurns: number
  /** Share of the cost of staying by which leaving must be cheaper. */
  readonly margin: number
}

/** A target that a session may go to. */
export interface SessionTarget {
  readonly deployment: string
  /** Undefined where it has no price. */
  readonly prices: TurnPrices | undefined
}

/** Where a session goes, and why. `turn` is 1 for its first. */
export interface Pin {
  readonly deployment: string
  readonly why: 'new' | 'kept' | 'idle' | 'cheaper' | 'quality' | 'unavailable'
  readonly turn: number
  /** What was weighed, in pico-USD over the turns expected; absent where nothing was. */
  readonly weighed?: { readonly staying: number; readonly switching: number; readonly turns: number }
  /** What was pinned before, where that changes. */
  readonly from?: string
}

const OUTPUT_GUESS = 256

/**
 * Sessions and what they are pinned to: bounded, the longest unused forgotten first. `consider` alters nothing, so that a dry run may
 * ask; `pin` and `served` write down what was done.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #lengths: SessionLengths
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    this.#options = options
    this.#lengths = new SessionLengths(options.expectedTurns)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Tokens that a deployment's prompt cache holds of a session at `now`. */
  warm(key: string, deployment: string, now: number): number {
    const session = this.#sessions.get(key)
    return session !== undefined && session.pinned === deployment && session.until > now ? session.warm : 0
  }

  /**
   * Where a session should go. `order` is the strategy's, not empty; `up` says that the strategy ranks by quality, so that a dearer
   * first target means a harder question.
   */
  consider(key: string, order: readonly SessionTarget[], prompt: number, up: boolean, now: number): Pin {
    const first = order[0] as SessionTarget
    const session = this.#sessions.get(key)
    if (session === undefined) return { deployment: first.deployment, why: 'new', turn: 1 }
    const turn = session.turns + 1
    if (session.until <= now) return { deployment: first.deployment, why: 'idle', turn, from: session.pinned }
    const pinned = order.find(({ deployment }) => deployment === session.pinned)
    if (pinned === undefined) return { deployment: first.deployment, why: 'unavailable', turn, from: session.pinned }
    const kept: Pin = { deployment: session.pinned, why: 'kept', turn }
    if (pinned === first || pinned.prices === undefined || first.prices === undefined) return kept
    const output = session.answered === 0 ? OUTPUT_GUESS : session.output / session.answered
    const prospect: Prospect = {
      turns: this.#lengths.ahead(turn),
      prompt,
      // The cache holds the last prompt and its reply, so the prompt before was smaller by a reply.
      growth: session.grown === 0 ? Math.max(0, prompt - Math.max(0, session.warm - output)) : session.growth / session.grown,
      output,
    }
    const { staying, switching, leave } = regretOf(
      prospect,
      { warm: session.warm, prices: pinned.prices },
      { warm: 0, prices: first.prices },
      this.#options.margin,
    )
    const weighed = { staying, switching, turns: prospect.turns }
    if (up && !session.raised && first.prices.output > pinned.prices.output)
      return { deployment: first.deployment, why: 'quality', turn, weighed, from: session.pinned }
    if (leave && !session.raised) return { deployment: first.deployment, why: 'cheaper', turn, weighed, from: session.pinned }
    return { ...kept, weighed }
  }

  /** Notes that a turn was sent where `pin` said. */
  pin(key: string, { deployment, why }: Pin, now: number): void {
    const { ttlMs, maxSessions } = this.#options
    const before = this.#sessions.get(key)
    const session: Session = before ?? {
      pinned: deployment,
      warm: 0,
      turns: 0,
      growth: 0,
      grown: 0,
      output: 0,
      answered: 0,
      raised: false,
      until: 0,
    }
    if (why === 'idle') {
      this.#lengths.add(session.turns)
      session.turns = 0
      session.raised = false
      session.warm = 0
    }
    if (why === 'quality') session.raised = true
    if (session.pinned !== deployment) session.warm = 0
    session.pinned = deployment
    session.turns += 1
    session.until = now + ttlMs
    this.#sessions.delete(key)
    if (this.#sessions.size >= maxSessions) this.#forgetOldest()
    this.#sessions.set(key, session)
  }

  /** Notes who served a turn in fact, and what its cache now holds. */
  served(key: string, deployment: string, { inputTokens, outputTokens }: Usage, now: number): void {
    const session = this.#sessions.get(key)
    if (session === undefined) return
    const held = inputTokens + outputTokens
    if (session.pinned === deployment && session.warm > 0 && held >= session.warm) {
      session.growth += held - session.warm
      session.grown += 1
    }
    session.output += outputTokens
    session.answered += 1
    session.pinned = deployment
    session.warm = held
    session.until = now + this.#options.ttlMs
  }

  #forgetOldest(): void {
    const [oldest] = this.#sessions
    if (oldest === undefined) return
    this.#lengths.add(oldest[1].turns)
    this.#sessions.delete(oldest[0])
  }
}
