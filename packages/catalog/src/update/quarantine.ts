import type { Entry, PriceRow, TokenPrices, UnitPrices } from '../entry.ts'
import { conditionsOf } from './layer.ts'

/** A price that keeps its old value until a person accepts the new one by an override. */
export interface Quarantined {
  readonly id: string
  /** Conditions of the row, as `standard * >272k`. */
  readonly row: string
  /** A member of `TokenPrices` or `UnitPrices`, `image:` with its size, or `*` for the whole row. */
  readonly field: string
  readonly reason: 'jumped' | 'zero' | 'vanished'
  /** Pico-USD; the base input price where the whole row is meant. */
  readonly was: number
  readonly now?: number
}

/** Prices move; by more than this they are mistaken. */
const MOST_TIMES = 10

/**
 * The new entry with every price held back that moved more than tenfold, fell to 0 or vanished against the one in force, and a list of
 * those.
 */
export function quarantine(old: Entry, next: Entry): { readonly entry: Entry; readonly held: readonly Quarantined[] } {
  if (old.prices === next.prices || old.prices.length === 0) return { entry: next, held: [] }
  const held: Quarantined[] = []
  if (next.free || next.prices.length === 0) {
    for (const row of old.prices) held.push(whole(old.id, row, next.free ? 'zero' : 'vanished'))
    return { entry: Object.freeze({ ...next, prices: old.prices, free: old.free }), held }
  }
  const prices = [...next.prices]
  for (const row of old.prices) {
    // What has ended is history: it cannot move.
    if (row.until !== undefined) continue
    const conditions = conditionsOf(row)
    const at = prices.findIndex((one) => one.until === undefined && conditionsOf(one) === conditions)
    const now = prices[at]
    if (now === undefined) {
      held.push(whole(old.id, row, 'vanished'))
      prices.push(row)
      continue
    }
    const hold = (field: string, was: number, is: number | undefined): number => {
      if (is !== undefined && is <= was * MOST_TIMES && is >= was / MOST_TIMES) return is
      const base = { id: old.id, row: conditions, field, was }
      held.push(is === undefined ? { ...base, reason: 'vanished' } : { ...base, reason: 'jumped', now: is })
      return was
    }
    prices[at] = {
      ...now,
      perToken: heldTokens(row.perToken, now.perToken, hold),
      perUnit: heldUnits(row.perUnit, now.perUnit, hold),
    }
  }
  return held.length === 0 ? { entry: next, held } : { entry: Object.freeze({ ...next, prices }), held }
}

type Hold = (field: string, was: number, now: number | undefined) => number

function heldTokens(was: TokenPrices, now: TokenPrices, hold: Hold): TokenPrices {
  const kept: { -readonly [K in keyof TokenPrices]: TokenPrices[K] } = { ...now }
  for (const [field, value] of Object.entries(was) as [keyof TokenPrices, number][])
    kept[field] = hold(field, value, now[field])
  return kept
}

function heldUnits(was: UnitPrices, now: UnitPrices, hold: Hold): UnitPrices {
  const { image: oldImages, ...old } = was
  const kept: Record<string, unknown> = { ...now }
  for (const [unit, value] of Object.entries(old)) kept[unit] = hold(unit, value, now[unit as keyof typeof old])
  if (oldImages === undefined) return kept
  const images: Record<string, number> = { ...now.image }
  for (const [size, value] of Object.entries(oldImages)) images[size] = hold(`image:${size}`, value, now.image?.[size])
  return { ...kept, image: images }
}

function whole(id: string, row: PriceRow, reason: 'zero' | 'vanished'): Quarantined {
  return {
    id,
    row: conditionsOf(row),
    field: '*',
    reason,
    was: row.perToken.input ?? 0,
    ...(reason === 'zero' ? { now: 0 } : {}),
  }
}
