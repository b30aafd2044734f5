import type { BypassReason, Marks } from './kind.ts'

export type Outcome = Marks['level'] | 'miss' | 'bypass'

/** What became of the calls of one operation since the start. */
export interface Tally {
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly bypasses: Readonly<Partial<Record<BypassReason, number>>>
  /** Different keys asked for, estimated from the 1,024 smallest of their hashes (k minimum values): within some 3 % beyond that many. */
  readonly distinct: number
  /** 1 - distinct / requests looked up: what an exact cache that forgets nothing would hit. */
  readonly repeatCeiling: number
}

const SMALLEST = 1_024
const LEVELS: readonly Outcome[] = ['l1', 'l2', 'l3', 'stale', 'coalesced', 'miss', 'bypass']

/** Counts the calls of one operation. A class, since every call is counted. */
export class Counts {
  private readonly outcomes = Object.fromEntries(LEVELS.map((level) => [level, 0])) as Record<Outcome, number>
  private readonly bypasses: Partial<Record<BypassReason, number>> = {}
  private readonly smallest = new KMinimum(SMALLEST)

  bypass(reason: BypassReason): void {
    this.outcomes.bypass += 1
    this.bypasses[reason] = (this.bypasses[reason] ?? 0) + 1
  }

  outcome(outcome: Exclude<Outcome, 'bypass'>): void {
    this.outcomes[outcome] += 1
  }

  /** `key` ends in at least twelve characters of a digest in base64url. */
  asked(key: string): void {
    this.smallest.add(fractionOf(key))
  }

  get tally(): Tally {
    const requests = LEVELS.reduce((sum, level) => sum + this.outcomes[level], 0)
    const lookedUp = requests - this.outcomes.bypass
    const distinct = Math.min(lookedUp, this.smallest.estimate)
    return {
      requests,
      outcomes: { ...this.outcomes },
      bypasses: { ...this.bypasses },
      distinct,
      repeatCeiling: lookedUp === 0 ? 0 : 1 - distinct / lookedUp,
    }
  }
}

/** How many different numbers of [0, 1) were added, from the smallest ones: Bar-Yossef et al., RANDOM 2002. */
class KMinimum {
  private readonly kept: number[] = []
  private readonly members = new Set<number>()
  private readonly size: number

  constructor(size: number) {
    this.size = size
  }

  add(value: number): void {
    const { kept, members, size } = this
    if ((kept.length === size && value >= (kept[size - 1] as number)) || members.has(value)) return
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((kept[middle] as number) < value) low = middle + 1
      else high = middle
    }
    kept.splice(low, 0, value)
    members.add(value)
    if (kept.length > size) members.delete(kept.pop() as number)
  }

  get estimate(): number {
    const { kept, size } = this
    if (kept.length < size) return kept.length
    return Math.round((size - 1) / (kept[size - 1] as number))
  }
}

const CODES = new Int8Array(128).fill(0)
for (const [at, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].entries())
  CODES[letter.charCodeAt(0)] = at

/** The last eight characters of a digest as a number of [0, 1). */
function fractionOf(key: string): number {
  let value = 0
  for (let at = key.length - 8; at < key.length; at += 1) value = value * 64 + (CODES[key.charCodeAt(at) & 127] as number)
  return value / 64 ** 8
}
