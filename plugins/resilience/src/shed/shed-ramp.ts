import { type Measured, measuredLevel, type PressureLevel } from './pressure.ts'
import type { PressureSettings } from './pressure-options.ts'

/** Share of a class by which more is refused at each measurement above its upper mark, and less between the two marks. */
const RISE = 0.1
const FALL = 0.05

/**
 * How much of each class is refused for what was measured, a state machine: class `low` at once and whole; a share of `normal` and
 * `high` that rises while the measure stays above their marks, so that one late moment of a starved machine refuses next to nobody,
 * and falls between the marks, so that it settles where the node can work.
 */
export class ShedRamp {
  private readonly settings: PressureSettings
  private current: PressureLevel = 0
  private readonly shares: [number, number] = [0, 0]

  constructor(settings: PressureSettings) {
    this.settings = settings
  }

  get level(): PressureLevel {
    return this.current
  }

  measure(measured: Measured): void {
    const above = measuredLevel(0, measured, this.settings)
    this.current = measuredLevel(this.current, measured, this.settings)
    for (const at of [2, 3] as const) {
      const before = this.shares[at - 2] as number
      if (this.current < at) this.shares[at - 2] = 0
      else this.shares[at - 2] = above >= at ? Math.min(1, before + RISE) : Math.max(0, before - FALL)
    }
  }

  /** Share, in [0, 1], of the calls of the class that goes at `shedAt`. */
  share(shedAt: 1 | 2 | 3): number {
    if (this.current < shedAt) return 0
    return shedAt === 1 ? 1 : (this.shares[shedAt - 2] as number)
  }
}

/**
 * Whether a call is among the share that is refused: those of tenants above their share go first, all of them before any other does.
 * `chance` is uniform in [0, 1).
 */
export function isRefused(share: number, aboveShare: boolean, chance: number): boolean {
  return chance < (aboveShare ? 2 * share : 2 * share - 1)
}
