import {
  type Call,
  type Clock,
  type Policy,
  type SetupContext,
  SwitchyardError,
  type WellKnownAttributes,
} from '@switchyard/contract'
import type { PressureSettings } from '../options.ts'
import { endedOf, send } from '../reply.ts'
import type { ShedSettings } from '../settings.ts'
import { type PressureLevel, pressureLevel } from './pressure.ts'

/** How often the loop's delay is read, at most: between two reads a call costs a comparison. */
const READ_EVERY_MS = 100

/** What the policy needs from the plugin that places it. */
export interface ShedContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** The event loop's delay in ms. */
  readonly loopDelayMs: () => number
  readonly pressure: PressureSettings
  readonly settings: (operation: string) => ShedSettings
  readonly emit: SetupContext<unknown, unknown>['emit']
}

/** The policy, and what others ask it. */
export interface Shedding {
  readonly policy: Policy
  /** Whether the node refuses anything now. */
  readonly sheds: () => boolean
}

/**
 * Refuses calls with `OVERLOADED` and a jittered `retryAfterMs` while this node is under pressure: class `low` first, then `normal`, at
 * last `high`. What is under way is never touched.
 */
export function shedPolicy(context: ShedContext): Shedding {
  const { name, plugin, clock, pressure } = context
  const counting = pressure.inFlightOn !== false
  let level: PressureLevel = 0
  let inFlight = 0
  let delayMs = 0
  let readAt = Number.NEGATIVE_INFINITY

  const measure = (now: number): void => {
    if (now - readAt >= READ_EVERY_MS || now < readAt) {
      readAt = now
      delayMs = context.loopDelayMs()
    } else if (!counting) return
    const after = pressureLevel(level, { loopDelayMs: delayMs, inFlight }, pressure)
    if (after === level) return
    context.emit('shed:changed', { plugin, at: now, from: level, to: after })
    level = after
  }
  const land = (): void => {
    inFlight--
  }

  const policy: Policy = {
    name,
    stage: 'admit',
    operations: '*',
    around(call, next) {
      measure(clock.now())
      if (level > 0 && level >= shedAt(call) && context.settings(call.operation).enabled) {
        return Promise.reject(refusal(context, call, level))
      }
      if (!counting) return next(call)
      inFlight++
      return send(call, next).then(
        (reply) => {
          const ended = endedOf(reply)
          if (ended === undefined) land()
          else ended.then(land, land)
          return reply
        },
        (error: unknown) => {
          land()
          throw error
        },
      )
    },
    async explain(call) {
      const because = { level, priority: classOf(call), inFlight: counting && inFlight, loopDelayMs: Math.round(delayMs) }
      const refuses = level > 0 && level >= shedAt(call) && context.settings(call.operation).enabled
      return { decisions: [{ decision: refuses ? 'refused' : 'admitted', because }] }
    },
  }
  return { policy, sheds: () => level > 0 }
}

function classOf(call: Call): 'low' | 'normal' | 'high' {
  const { priority } = call.attributes as WellKnownAttributes
  return priority === 'low' || priority === 'high' ? priority : 'normal'
}

/** The level at which the call's class is refused. */
function shedAt(call: Call): PressureLevel {
  const { priority } = call.attributes as WellKnownAttributes
  return priority === 'low' ? 1 : priority === 'high' ? 3 : 2
}

function refusal({ plugin, pressure, random }: ShedContext, call: Call, level: PressureLevel): SwitchyardError {
  const retryAfterMs = Math.round(pressure.retryAfterMs * (1 + random()))
  const message = `this node is overloaded and refuses ${call.operation} of class ${classOf(call)}; try again in ${retryAfterMs} ms, or at another node`
  return new SwitchyardError('OVERLOADED', message, { plugin, retryAfterMs, details: { guard: 'shed', sent: false, level } })
}
