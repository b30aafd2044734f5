import type { LimiterSettings } from '../settings.ts'
import type { AdaptiveLimit } from './adaptive-limit.ts'
import { aimdLimit } from './aimd.ts'
import { gradientLimit } from './gradient.ts'

/** The limit that the settings ask for; undefined for `off`. */
export function adaptiveLimit(settings: LimiterSettings): AdaptiveLimit | undefined {
  if (settings.algorithm === 'gradient') return gradientLimit(settings)
  return settings.algorithm === 'aimd' ? aimdLimit(settings) : undefined
}
