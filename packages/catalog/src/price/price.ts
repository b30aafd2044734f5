import type { Usage } from '@switchyard/contract'
import type { Confidence, Entry, PriceRow, Tier, TokenPrices, UnitPrices } from '../entry.ts'
import { type Bound, type Conditions, selectRow } from './select-row.ts'
import { type TokenParts, tokenParts } from './usage.ts'

/** One part of a cost: tokens of one kind, or units. */
export interface CostPart {
  /** `input`, `cacheRead`, ... as in `TokenPrices`, or a unit as in `UnitPrices`. */
  readonly part: string
  readonly quantity: number
  /** Pico-USD each. */
  readonly each: number
  readonly pico: bigint
}

/** What a usage costs. */
export interface Cost {
  /** Pico-USD, the sum of the parts. Ledgers hold `microUsd(pico)`. */
  readonly pico: bigint
  readonly parts: readonly CostPart[]
  /** Parts of the usage that have no price at all; they are not in the sum. */
  readonly unknown: readonly string[]
  /** The row that the whole request was priced by; undefined where the model is free. */
  readonly row: PriceRow | undefined
  /** Tier that was asked for; `row.tier` is the one that was found. */
  readonly tier: Tier
  /** Version of the catalog that priced it; undefined where the caller gave none. */
  readonly version: string | undefined
  readonly confidence: Confidence
  /** Whether the true cost is this one, at most this or at least this. Where both are in doubt, `lower`: the bill may be higher. */
  readonly bound: Bound
}

export interface PriceOptions extends Conditions {
  /** Written into the cost; `Catalog.price` fills it in. */
  readonly version?: string | undefined
}

type Side = 'input' | 'output'
type Doubt = Bound | 'none'

interface PartRule {
  readonly part: keyof TokenParts
  readonly side: Side
  /** Price to take before the plain one of its side. */
  readonly before?: keyof TokenPrices
  /** What the plain price of its side is for this part. */
  readonly doubt: Doubt
}

/** A cache read costs less than plain input, a write or audio more; reasoning is billed as output unless it has its own price. */
const RULES: readonly PartRule[] = [
  { part: 'input', side: 'input', doubt: 'exact' },
  { part: 'cacheRead', side: 'input', doubt: 'upper' },
  { part: 'cacheWrite5m', side: 'input', doubt: 'lower' },
  { part: 'cacheWrite1h', side: 'input', before: 'cacheWrite5m', doubt: 'lower' },
  { part: 'audioIn', side: 'input', doubt: 'lower' },
  { part: 'imageIn', side: 'input', doubt: 'lower' },
  { part: 'output', side: 'output', doubt: 'exact' },
  { part: 'reasoning', side: 'output', doubt: 'exact' },
  { part: 'audioOut', side: 'output', doubt: 'lower' },
  { part: 'imageOut', side: 'output', doubt: 'lower' },
]

/**
 * The exact cost of a usage by one entry, or null where the entry has no price for any part of it: unpriced is never 0.
 * @throws TypeError for counts that are not whole numbers from 0 (units: finite numbers from 0).
 */
export function price(entry: Entry, usage: Usage, options: PriceOptions = {}): Cost | null {
  const tokens = tokenParts(usage)
  const { tier = 'standard', version } = options
  const { confidence } = entry.provenance
  if (entry.free) return { pico: 0n, parts: [], unknown: [], row: undefined, bound: 'exact', tier, version, confidence }
  const selected = selectRow(entry.prices, usage.inputTokens, options)
  if (selected === undefined) return null
  const { row } = selected
  let { bound } = selected
  const parts: CostPart[] = []
  const unknown: string[] = []
  let pico = 0n
  // The sum so far, in a number while that is exact: most costs never leave it.
  let small = 0
  const add = (part: string, quantity: number, each: number): void => {
    const cost = quantity * each
    const sum = small + cost
    if (Number.isSafeInteger(quantity) && Number.isSafeInteger(sum)) {
      small = sum
      parts.push({ part, quantity, each, pico: BigInt(cost) })
      return
    }
    const exact = timesUnits(quantity, each)
    pico += exact
    parts.push({ part, quantity, each, pico: exact })
  }
  for (const rule of RULES) {
    const quantity = tokens[rule.part]
    if (quantity === 0) continue
    const own = row.perToken[rule.part]
    const each = own ?? (rule.before === undefined ? undefined : row.perToken[rule.before]) ?? row.perToken[rule.side]
    if (each === undefined) unknown.push(rule.part)
    else add(rule.part, quantity, each)
    if (each !== undefined && own === undefined) bound = weaker(bound, rule.doubt)
  }
  // Sources price tokens by tier and leave the fees out, which vendors list once: those of the standard tier hold.
  const plain =
    row.tier === 'standard' ? undefined : selectRow(entry.prices, usage.inputTokens, { ...options, tier: 'standard' })
  const fee = (unit: string): number | undefined => {
    const own = unitPrice(row.perUnit, unit)
    if (own !== undefined || plain === undefined) return own
    const listed = unitPrice(plain.row.perUnit, unit)
    if (listed !== undefined) bound = weaker(bound, row.tier === 'batch' || row.tier === 'flex' ? 'upper' : 'lower')
    return listed
  }
  const perRequest = fee('request')
  if (perRequest !== undefined) add('request', 1, perRequest)
  const { units } = usage
  for (const unit in units) {
    if (!Object.hasOwn(units, unit)) continue
    const quantity = units[unit] as number
    if (!Number.isFinite(quantity) || quantity < 0)
      throw new TypeError(`units.${unit} must be a number from 0, not ${quantity}`)
    if (quantity === 0 || unit === 'request') continue
    const each = fee(unit)
    if (each === undefined) unknown.push(unit)
    else add(unit, quantity, each)
  }
  if (unknown.length > 0 && parts.length === 0) return null
  if (unknown.length > 0) bound = 'lower'
  return { pico: pico + BigInt(small), parts, unknown, row, bound, tier, version, confidence }
}

function weaker(a: Bound, b: Doubt): Bound {
  return b === 'exact' || b === 'none' || a === 'lower' ? a : b
}

function unitPrice(prices: UnitPrices, unit: string): number | undefined {
  if (unit.startsWith('image:')) return imagePrice(prices, unit.slice('image:'.length))
  const found = prices[unit as keyof UnitPrices]
  return typeof found === 'number' ? found : undefined
}

/** Sources write `standard` for the quality that is taken where none is named, or `default`. */
function imagePrice({ image = {} }: UnitPrices, key: string): number | undefined {
  if (image[key] !== undefined) return image[key]
  if (key.startsWith('default/')) return image[key.replace('default', 'standard')]
  return key.startsWith('standard/') ? image[key.replace('standard', 'default')] : undefined
}

/** Fractions, such as seconds of audio, count to the thousandth, rounded up; so does the cost. */
function timesUnits(quantity: number, each: number): bigint {
  if (Number.isSafeInteger(quantity)) return BigInt(quantity) * BigInt(each)
  return (BigInt(Math.ceil(quantity * 1000)) * BigInt(each) + 999n) / 1000n
}

const PICO_PER_MICRO = 1_000_000n

/** Whole micro-USD, rounded up: once per request, or small ones would be free for ever. */
export function microUsd(pico: bigint): number {
  return Number((pico + PICO_PER_MICRO - 1n) / PICO_PER_MICRO)
}

/**
 * Pico-USD to set aside for a cost that is not known yet: 2.5 times a `priority` or `fast` cost that had to be taken from standard
 * prices (multipliers seen are 2 and 2.5), else the cost itself.
 */
export function reservedPico(cost: Cost): bigint {
  const guessed = cost.row?.tier === 'standard' && (cost.tier === 'priority' || cost.tier === 'fast')
  return guessed ? (cost.pico * 5n + 1n) / 2n : cost.pico
}

/** Base price of an entry (standard, short context, now at any hour), for listing and comparing. Undefined = unpriced. */
export function basePrice(entry: Entry, conditions: Conditions = {}): TokenPrices | undefined {
  return selectRow(entry.prices, 0, conditions)?.row.perToken
}
