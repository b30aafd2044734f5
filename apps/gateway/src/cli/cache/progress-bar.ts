import { progressOn } from '../route/progress.ts'

/** How far something is. */
export interface ProgressBar {
  /** `share` from 0 to 1. */
  (what: string, share: number): void
  /** Clears it. */
  done(): void
}

const CELLS = 24

/** A bar on standard error where that is a terminal, and silence elsewhere. */
export function progressBar(): ProgressBar {
  if (!process.stderr.isTTY) return Object.assign(() => undefined, { done: () => undefined })
  const { step, done } = progressOn(process.stderr)
  let shown = ''
  const draw = (what: string, share: number): void => {
    const full = Math.round(Math.min(1, share) * CELLS)
    const text = `${'█'.repeat(full)}${'░'.repeat(CELLS - full)} ${String(Math.round(100 * share)).padStart(3)} %  ${what}`
    if (text !== shown) step(text)
    shown = text
  }
  return Object.assign(draw, { done })
}
