import type { PressureSettings } from '../options.ts'

/** How much of the traffic is shed: 0 = none, 1 = class `low`, 2 = `normal` as well, 3 = all. */
export type PressureLevel = 0 | 1 | 2 | 3

/** What a node measures of itself. */
export interface PressureReading {
  readonly loopDelayMs: number
  readonly inFlight: number
}

/** The level after a reading: each begins at its upper marks and ends below its lower ones, so that none flaps around one. */
export function pressureLevel(before: PressureLevel, reading: PressureReading, settings: PressureSettings): PressureLevel {
  if (presses(reading, settings, settings.highFactor, before < 3)) return 3
  if (presses(reading, settings, settings.normalFactor, before < 2)) return 2
  return presses(reading, settings, 1, before < 1) ? 1 : 0
}

function presses(reading: PressureReading, settings: PressureSettings, factor: number, starting: boolean): boolean {
  const { loopDelayOnMs, loopDelayOffMs, inFlightOn, inFlightOff } = settings
  if (reading.loopDelayMs >= (starting ? loopDelayOnMs : loopDelayOffMs) * factor) return true
  if (inFlightOn === false) return false
  return reading.inFlight >= (starting ? inFlightOn : (inFlightOff ?? inFlightOn * 0.9)) * factor
}
