import type { Limits, TokenPrices, UnitPrices } from '../entry.ts'

/** Thrown inside an importer to leave a row out; the importer counts it and goes on. Never leaves this package. */
export interface RowRefused {
  readonly refused: string
}

/** Leaves the row being read out. */
export function refuse(reason: string): never {
  throw { refused: reason } satisfies RowRefused
}

/** True for what `refuse` throws. */
export function isRefusal(thrown: unknown): thrown is RowRefused {
  return typeof thrown === 'object' && thrown !== null && 'refused' in thrown
}

/** The dearest true token price is some 600 USD a million tokens; from here on it is a unit error, or a page or search in the wrong field. */
const IMPLAUSIBLE = 1_000_000_000

/** A context above this is a typing error. */
const LARGEST_CONTEXT = 20_000_000

/** An amount of a feed in whole pico-USD, rounded half up; undefined for what is absent or 0, which means unknown. */
export function pico(value: unknown, factor: number, field: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value))
    refuse(`${field} is ${JSON.stringify(value) ?? String(value)}, not a number`)
  if (value < 0) refuse(`${field} is negative`)
  const amount = Math.round(value * factor)
  if (!Number.isSafeInteger(amount)) refuse(`${field} is beyond any price`)
  return amount === 0 ? undefined : amount
}

/**
 * Token prices out of raw values times `factor`. A price that cannot be by the token refuses the row; a cache read dearer than the input
 * is left out and named in `dropped`.
 */
export function tokenPrices(
  raw: Readonly<Partial<Record<keyof TokenPrices, unknown>>>,
  factor: number,
  dropped: string[] = [],
): TokenPrices {
  const prices: { -readonly [K in keyof TokenPrices]: TokenPrices[K] } = {}
  for (const [field, value] of Object.entries(raw) as [keyof TokenPrices, unknown][]) {
    const amount = pico(value, factor, field)
    if (amount === undefined) continue
    if (amount >= IMPLAUSIBLE) refuse(`${field} of ${amount / 1e6} USD a million tokens is not a token price`)
    prices[field] = amount
  }
  const { cacheRead, ...rest } = prices
  if (cacheRead !== undefined && prices.input !== undefined && cacheRead > prices.input) {
    dropped.push('cacheRead')
    return rest
  }
  return prices
}

/** Unit prices out of raw values times `factor`, without images by size. */
export function unitPrices(
  raw: Readonly<Partial<Record<Exclude<keyof UnitPrices, 'image'>, unknown>>>,
  factor: number,
): UnitPrices {
  const prices: Record<string, number> = {}
  for (const [field, value] of Object.entries(raw)) {
    const amount = pico(value, factor, field)
    if (amount !== undefined) prices[field] = amount
  }
  return prices
}

/** Limits out of raw values: 0 is unknown, and so is a context that no model has. */
export function limitsOf(raw: Readonly<Partial<Record<keyof Limits, unknown>>>, dropped: string[] = []): Limits {
  const limits: Record<string, number> = {}
  for (const [field, value] of Object.entries(raw)) {
    if (value === undefined || value === null || value === 0) continue
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > LARGEST_CONTEXT) dropped.push(field)
    else limits[field] = value
  }
  return limits
}

/** True where a source gives both sides as exactly 0: free, or unknown. */
export function bothZero(input: unknown, output: unknown): boolean {
  return input === 0 && output === 0
}

/** A plain object, or undefined for anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/** A non-empty string, or undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A true or false, or undefined where the source does not say. */
export function asFlag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** The object without its undefined members, for types with exact optional properties. */
export function compact<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}
