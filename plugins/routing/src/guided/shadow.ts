import {
  type Alternative,
  type Call,
  type Clock,
  type Logger,
  type ModelReply,
  type Next,
  quietTrace,
  SwitchyardError,
} from '@switchyard/contract'
import type { ArmGuards, Evidence } from './arm-guard.ts'
import type { ShadowSettings } from './options.ts'
import { answerOf, type Comparison } from './reply-answer.ts'

export interface ShadowParts {
  readonly settings: ShadowSettings
  readonly guards: ArmGuards
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly log: Logger
  readonly onOff: (taskClass: string, arm: string, evidence: Evidence) => void
}

/** What was served, to hold the other answer against. */
export interface Served {
  readonly taskClass: string
  readonly arm: string
  readonly reply: ModelReply
  readonly comparison: Comparison
  /** The reference served, and the arm answers in the shadow. */
  readonly isReference: boolean
}

/** Asks the reference for a share of calls in the background, each with a signal and a deadline of its own. */
export class Shadow {
  readonly #parts: ShadowParts
  readonly #inFlight = new Set<AbortController>()

  constructor(parts: ShadowParts) {
    this.#parts = parts
  }

  /** `draw` is uniform in [0, 1). */
  wants(draw: number): boolean {
    const { percent, maxInFlight } = this.#parts.settings
    return draw * 100 < percent && this.#inFlight.size < maxInFlight
  }

  /** Never rejects; nobody has to wait for it. It is booked to the call's principal, and bound by all that binds it. */
  async compare(
    call: Call<'model.invoke'>,
    next: Next<'model.invoke'>,
    { target, request, attributes }: Alternative<'model.invoke'>,
    { taskClass, arm, reply, comparison, isReference }: Served,
  ): Promise<void> {
    const { settings, guards, clock, log, onOff } = this.#parts
    const controller = new AbortController()
    this.#inFlight.add(controller)
    const late = new SwitchyardError('TIMEOUT', 'a shadow call did not end in time', { retryable: false })
    const cancel = clock.schedule(settings.timeoutMs, () => controller.abort(late))
    try {
      const ending = await reply.ended
      const served = answerOf(reply, ending, comparison)
      if (served === undefined && ending.outcome !== 'complete') return
      const theirs = await next({
        ...call,
        id: `${call.id}-shadow`,
        target,
        request,
        attributes: { ...attributes, purpose: 'shadow', priority: 'low', taskClass, arm },
        alternatives: undefined,
        signal: controller.signal,
        deadline: clock.now() + settings.timeoutMs,
        attempt: 1,
        trace: quietTrace(),
      })
      const shadowed = answerOf(theirs, await theirs.ended, comparison)
      // Where the reference gives no answer that compares, it says nothing about the arm.
      if ((isReference ? served : shadowed) === undefined) return
      const off = guards.note(taskClass, arm, served === shadowed ? 1 : 0)
      if (off !== undefined) onOff(taskClass, arm, off)
    } catch (error) {
      log.debug({ error, arm }, 'a shadow call failed')
    } finally {
      cancel()
      this.#inFlight.delete(controller)
    }
  }

  /** Aborts all that is under way. */
  close(): void {
    const reason = new SwitchyardError('ABORTED', 'routing closes', { retryable: false })
    for (const controller of this.#inFlight) controller.abort(reason)
  }
}
