/** Prices of one target, pico-USD a token. */
export interface TurnPrices {
  /** Of a token that is not in the prompt cache. */
  readonly input: number
  readonly output: number
  /** Of a token read from the prompt cache; `input` where the provider has none. */
  readonly read: number
  /** Of a token written to the prompt cache; `input` where writing is not charged apart. */
  readonly write: number
}

/** What is ahead of a session, in tokens; whole numbers are not needed. */
export interface Prospect {
  /** Turns that are expected, the present one included; at least 1. */
  readonly turns: number
  /** Prompt of the present turn. */
  readonly prompt: number
  /** By how much the prompt grows each turn. */
  readonly growth: number
  /** Reply of one turn. */
  readonly output: number
}

/** Cost of one turn of which `warm` tokens of the prompt are in the cache, and the rest is written to it. Pico-USD. */
export function turnCost(prompt: number, warm: number, output: number, prices: TurnPrices): number {
  const read = Math.min(warm, prompt)
  return read * prices.read + (prompt - read) * prices.write + output * prices.output
}

/** Cost of all turns ahead at one target of which `warm` tokens are in the cache now: each turn warms the next. Pico-USD. */
export function prospectCost({ turns, prompt, growth, output }: Prospect, warm: number, prices: TurnPrices): number {
  const later = Math.max(0, turns - 1)
  // The prompts of the later turns before their growth: prompt, prompt + growth, ... , of which there are `later`.
  const read = later * prompt + (growth * later * (later - 1)) / 2
  return (
    turnCost(prompt, warm, output, prices) + read * prices.read + later * growth * prices.write + later * output * prices.output
  )
}

/** Whether a session should leave a target whose cache holds `warm` tokens for one whose cache holds `warmThere`. */
export interface Regret {
  /** Pico-USD over the turns ahead. */
  readonly staying: number
  readonly switching: number
  readonly leave: boolean
}

/** The prompt-cache regret test: leaving pays only where it is cheaper by `margin`, a share of what staying costs. */
export function regretOf(
  prospect: Prospect,
  here: { readonly warm: number; readonly prices: TurnPrices },
  there: { readonly warm: number; readonly prices: TurnPrices },
  margin: number,
): Regret {
  const staying = prospectCost(prospect, here.warm, here.prices)
  const switching = prospectCost(prospect, there.warm, there.prices)
  return { staying, switching, leave: switching < staying * (1 - margin) }
}
