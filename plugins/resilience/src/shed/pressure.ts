import type { PressureSettings } from './pressure-options.ts'

/** How much of the traffic is shed: 0 = none, 1 = class `low`, 2 = `normal` as well, 3 = all. */
export type PressureLevel = 0 | 1 | 2 | 3

/** What a node measures of itself. */
export interface Measured {
  readonly loopDelayMs: number
  /** Shares in [0, 1]. */
  readonly loopUtilisation: number
  readonly heapShare: number
  readonly sockets: number
}

/** The level after a measurement: each begins at its upper marks and ends below its lower ones, so that none flaps around one. */
export function measuredLevel(before: PressureLevel, measured: Measured, settings: PressureSettings): PressureLevel {
  if (presses(measured, settings, settings.highFactor, before < 3)) return 3
  if (presses(measured, settings, settings.normalFactor, before < 2)) return 2
  const starting = before < 1
  if (presses(measured, settings, 1, starting)) return 1
  const { loopUtilisationOn, loopUtilisationOff } = settings
  return loopUtilisationOn !== false && measured.loopUtilisation >= (starting ? loopUtilisationOn : loopUtilisationOff) ? 1 : 0
}

/** The level after a count of the calls under way, by the same rule. */
export function countedLevel(
  before: PressureLevel,
  inFlight: number,
  { inFlightOn, inFlightOff, normalFactor, highFactor }: PressureSettings,
): PressureLevel {
  if (inFlight >= atCount(inFlightOn, inFlightOff, before < 3) * highFactor) return 3
  if (inFlight >= atCount(inFlightOn, inFlightOff, before < 2) * normalFactor) return 2
  return inFlight >= atCount(inFlightOn, inFlightOff, before < 1) ? 1 : 0
}

function presses(measured: Measured, settings: PressureSettings, factor: number, starting: boolean): boolean {
  const { loopDelayOnMs, loopDelayOffMs, heapShareOn, heapShareOff, socketsOn, socketsOff } = settings
  if (measured.loopDelayMs >= (starting ? loopDelayOnMs : loopDelayOffMs) * factor) return true
  if (measured.sockets >= atCount(socketsOn, socketsOff, starting) * factor) return true
  // A share cannot be multiplied: what is left of the whole is divided.
  return heapShareOn !== false && measured.heapShare >= 1 - (1 - (starting ? heapShareOn : heapShareOff)) / factor
}

function atCount(on: number | false, off: number | undefined, starting: boolean): number {
  if (on === false) return Number.POSITIVE_INFINITY
  return starting ? on : (off ?? on * 0.9)
}
