import {
  type Call,
  type Clock,
  type Policy,
  type SetupContext,
  SwitchyardError,
  type WellKnownAttributes,
} from '@switchyard/contract'
import { endedOf, send } from '../reply.ts'
import type { Settings } from '../settings.ts'
import { countedLevel, type Measured, type PressureLevel } from './pressure.ts'
import type { PressureSettings } from './pressure-options.ts'
import { RefusalTally } from './refusal-tally.ts'
import { isRefused, ShedRamp } from './shed-ramp.ts'
import { TenantShares } from './tenant-shares.ts'

/** How often the node is measured, at most: between two reads a call costs a comparison. */
const READ_EVERY_MS = 100

/** What the policy needs from the plugin that places it. */
export interface ShedContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** What the node measures of itself now. */
  readonly read: () => Measured
  readonly pressure: PressureSettings
  readonly settings: (operation: string) => Pick<Settings, 'shed' | 'bulkhead'>
  readonly emit: SetupContext<unknown, unknown>['emit']
}

/** The policy, and what others ask it. */
export interface Shedding {
  readonly policy: Policy
  /** Whether the node refuses anything now. */
  readonly sheds: () => boolean
  /** Tells of what was refused and not told yet, and clears the timer. */
  readonly close: () => void
}

const NOTHING: Measured = Object.freeze({ loopDelayMs: 0, loopUtilisation: 0, heapShare: 0, sockets: 0 })

/**
 * Refuses calls with `OVERLOADED` and a jittered `retryAfterMs` while this node is under pressure: class `low` first, then a rising share
 * of `normal`, of tenants above their share before the others, at last of `high`. Calls under way are counted exactly, so their limit
 * refuses a class at once. What is under way is never touched.
 */
export function shedPolicy(context: ShedContext): Shedding {
  const { name, plugin, clock, pressure, random, emit, settings } = context
  const counting = pressure.inFlightOn !== false
  const ramp = new ShedRamp(pressure)
  const shares = new TenantShares()
  const tally = new RefusalTally(clock, (refused, since, at) => emit('shed:refused', { plugin, at, since, ...refused }))
  let measured = NOTHING
  let counted: PressureLevel = 0
  let level: PressureLevel = 0
  let inFlight = 0
  let readAt = Number.NEGATIVE_INFINITY

  const measure = (now: number): void => {
    if (now - readAt >= READ_EVERY_MS || now < readAt) {
      readAt = now
      measured = context.read()
      ramp.measure(measured)
    } else if (!counting) return
    if (counting) counted = countedLevel(counted, inFlight, pressure)
    const after = counted > ramp.level ? counted : ramp.level
    if (after === level) return
    emit('shed:changed', { plugin, at: now, from: level, to: after })
    level = after
  }
  const land = (): void => {
    inFlight--
  }
  const refuses = (call: Call, now: number): boolean => {
    const { shed, bulkhead } = settings(call.operation)
    if (!shed.enabled) return false
    const { tenant } = call.principal
    shares.count(tenant, now)
    const shedAt = shedAtOf(call)
    if (counted >= shedAt) return true
    const share = ramp.share(shedAt)
    if (share === 0 || share === 1) return share === 1
    const weightOf = (each: string): number =>
      Object.hasOwn(bulkhead.tenantWeights, each) ? (bulkhead.tenantWeights[each] ?? 1) : 1
    return isRefused(share, shares.isAbove(tenant, weightOf, now), random())
  }

  const policy: Policy = {
    name,
    stage: 'admit',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      measure(now)
      if (level > 0 && refuses(call, now)) {
        tally.add(classOf(call), now)
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
      const shedAt = shedAtOf(call)
      const on = settings(call.operation).shed.enabled
      const share = !on ? 0 : counted >= shedAt ? 1 : ramp.share(shedAt)
      const because = {
        level,
        priority: classOf(call),
        refusedShare: share,
        inFlight: counting && inFlight,
        loopDelayMs: Math.round(measured.loopDelayMs),
        loopUtilisation: measured.loopUtilisation,
        heapShare: measured.heapShare,
      }
      return { decisions: [{ decision: share === 0 ? 'admitted' : share === 1 ? 'refused' : 'may-be-refused', because }] }
    },
  }
  return { policy, sheds: () => level > 0, close: () => tally.flush() }
}

function classOf(call: Call): 'low' | 'normal' | 'high' {
  const { priority } = call.attributes as WellKnownAttributes
  return priority === 'low' || priority === 'high' ? priority : 'normal'
}

/** The level at which the call's class is refused. */
function shedAtOf(call: Call): 1 | 2 | 3 {
  const { priority } = call.attributes as WellKnownAttributes
  return priority === 'low' ? 1 : priority === 'high' ? 3 : 2
}

function refusal({ plugin, pressure, random }: ShedContext, call: Call, level: PressureLevel): SwitchyardError {
  const retryAfterMs = Math.round(pressure.retryAfterMs * (1 + random()))
  const message = `this node is overloaded and refuses ${call.operation} of class ${classOf(call)}; try again in ${retryAfterMs} ms, or at another node`
  return new SwitchyardError('OVERLOADED', message, { plugin, retryAfterMs, details: { guard: 'shed', sent: false, level } })
}
