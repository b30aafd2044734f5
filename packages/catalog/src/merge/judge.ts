import type { Confidence } from '../entry.ts'
import { PRICE_ORDER, type SourceName, witnessOf } from './source-row.ts'

/** One source's word on one value. */
export interface Testimony<T> {
  readonly source: SourceName
  readonly asOf: string
  readonly value: T
}

/** Which value stands, who gave it, and who said otherwise. */
export interface Verdict<T> {
  readonly winner: Testimony<T>
  /** All that agree with the winner, itself included, in the order in which sources are believed. */
  readonly agreeing: readonly Testimony<T>[]
  readonly losers: readonly Testimony<T>[]
  readonly confidence: Confidence
}

/**
 * Weighs what several sources say. What most independent witnesses give wins if they are two or more; else the newest, and of equally new
 * ones the one believed first. Never an average. Undefined without testimony.
 */
export function judge<T>(testimonies: readonly Testimony<T>[], agree: (a: T, b: T) => boolean): Verdict<T> | undefined {
  const ranked = [...testimonies].sort(
    (a, b) => Number(b.source === 'override') - Number(a.source === 'override') || later(a, b) || rank(a) - rank(b),
  )
  const support = ranked.map((one) => {
    const same = ranked.filter((other) => agree(one.value, other.value))
    return new Set(same.map(({ source }) => witnessOf(source))).size
  })
  const most = Math.max(...support)
  const winner = ranked[0]?.source === 'override' ? ranked[0] : ranked[most >= 2 ? support.indexOf(most) : 0]
  if (winner === undefined) return undefined
  const agreeing = ranked.filter(({ value }) => agree(winner.value, value)).sort((a, b) => rank(a) - rank(b))
  const losers = ranked.filter(({ value }) => !agree(winner.value, value))
  const rivalled = losers.some((one) => support[ranked.indexOf(one)] === most)
  const agreed = most >= 2 && !rivalled
  return { winner, agreeing, losers, confidence: agreed ? 'agreed' : losers.length > 0 ? 'disputed' : 'single' }
}

function later(a: { readonly asOf: string }, b: { readonly asOf: string }): number {
  return a.asOf === b.asOf ? 0 : a.asOf > b.asOf ? -1 : 1
}

function rank({ source }: { readonly source: SourceName }): number {
  return PRICE_ORDER.indexOf(source)
}

/** True for two prices within 0.5 % of the larger. */
export function near(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Math.abs(a - b) <= Math.max(a, b) * 0.005
}
