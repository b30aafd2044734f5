import type { Confidence, Conflict, PriceRow, TokenPrices, UnitPrices } from '../entry.ts'
import { selectRow } from '../price/select-row.ts'
import { judge, near, type Testimony } from './judge.ts'
import { PRICE_ORDER, type SourceName, type SourceRow } from './source-row.ts'

export interface MergedPrices {
  readonly prices: readonly PriceRow[]
  readonly confidence: Confidence
  readonly conflicts: readonly Conflict[]
  /** Sources whose prices are in it. */
  readonly by: readonly SourceName[]
  /** Taken from a sibling provider, for want of a source of its own. */
  readonly borrowed: boolean
}

interface Priced {
  readonly row: SourceRow
  readonly prices: readonly PriceRow[]
  /** The price that holds at the date of the source: standard, everywhere, short context. */
  readonly base: PriceRow
}

const NONE: MergedPrices = { prices: [], confidence: 'none', conflicts: [], by: [], borrowed: false }

/**
 * One set of price rows out of several sources' rows for one model. Input and output are judged as a pair; all else comes from
 * sources that agree on the pair, since a cache price belongs to the input price it was cut from.
 */
export function mergePrices(rows: readonly SourceRow[]): MergedPrices {
  const own = rows.filter(({ borrowed }) => borrowed !== true).flatMap(priced)
  const all = own.length > 0 ? own : rows.flatMap(priced)
  if (all.length === 0) return NONE
  const whole = all.filter(({ base }) => base.perToken.input !== undefined && base.perToken.output !== undefined)
  const half = all.filter(({ base }) => base.perToken.input !== undefined || base.perToken.output !== undefined)
  const heard = whole.length > 0 ? whole : half.length > 0 ? half : all
  const pair = judge(heard.map(testify), samePair)
  if (pair === undefined) return NONE
  const winners = pair.agreeing.map(({ source }) => heard.find(({ row }) => row.source === source) as Priced)
  const skeleton = winners.find(({ prices }) => prices.some((price) => isStandard(price) && isSpecial(price))) ?? winners[0]
  if (skeleton === undefined) return NONE
  const conflicts: Conflict[] = pair.losers.flatMap(({ source, value }) =>
    (['input', 'output'] as const).flatMap((field) => {
      const given = value.perToken[field]
      return given === undefined || near(given, pair.winner.value.perToken[field]) ? [] : [{ field, source, value: given }]
    }),
  )
  const base: PriceRow = {
    ...skeleton.base,
    perToken: fill(skeleton.base.perToken, winners, conflicts),
    perUnit: fillUnits(skeleton.base.perUnit, all),
  }
  const standard = skeleton.prices.filter(isStandard).map((price) => (price === skeleton.base ? base : price))
  return {
    prices: [...standard, ...otherTiers(winners)],
    confidence: pair.confidence,
    conflicts,
    by: winners.map(({ row }) => row.source),
    borrowed: own.length === 0,
  }
}

function priced(row: SourceRow): Priced[] {
  const prices = row.prices ?? []
  const standard = prices.filter(isStandard)
  const at = Date.parse(row.asOf)
  const current = standard.filter(({ from, until }) => (from === undefined || Date.parse(from) <= at) && !isPast(until, at))
  const base = selectRow(current.length > 0 ? current : standard, 0)?.row ?? prices[0]
  return base === undefined ? [] : [{ row, prices, base }]
}

function isPast(until: string | undefined, at: number): boolean {
  return until !== undefined && Date.parse(until) <= at
}

function isStandard({ tier, region }: PriceRow): boolean {
  return tier === 'standard' && region === '*'
}

function isSpecial({ contextOver, hours, from, until }: PriceRow): boolean {
  return contextOver !== undefined || hours !== undefined || from !== undefined || until !== undefined
}

function testify({ row, base }: Priced): Testimony<PriceRow> {
  return { source: row.source, asOf: row.asOf, value: base }
}

function samePair(a: PriceRow, b: PriceRow): boolean {
  return near(a.perToken.input, b.perToken.input) && near(a.perToken.output, b.perToken.output)
}

const PARTS = [
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'reasoning',
  'audioIn',
  'audioOut',
  'imageIn',
  'imageOut',
] as const satisfies readonly (keyof TokenPrices)[]

function fill(own: TokenPrices, winners: readonly Priced[], conflicts: Conflict[]): TokenPrices {
  const filled: { -readonly [K in keyof TokenPrices]: TokenPrices[K] } = { ...own }
  for (const field of PARTS) {
    const said = winners.flatMap(({ row, base }): Testimony<number>[] => {
      const value = base.perToken[field]
      return value === undefined ? [] : [{ source: row.source, asOf: row.asOf, value }]
    })
    const verdict = judge(said, near)
    if (verdict === undefined) continue
    filled[field] = verdict.winner.value
    for (const { source, value } of verdict.losers) conflicts.push({ field, source, value })
  }
  return filled
}

/** Fees by the unit do not depend on the token prices: each comes from the source believed first that has it. */
function fillUnits(own: UnitPrices, all: readonly Priced[]): UnitPrices {
  const ranked = [...all].sort((a, b) => PRICE_ORDER.indexOf(a.row.source) - PRICE_ORDER.indexOf(b.row.source))
  return Object.assign({}, ...ranked.reverse().map(({ base }) => base.perUnit), own)
}

/** Tiers and regions beyond the standard: each whole from the first of the agreeing sources that has it. */
function otherTiers(winners: readonly Priced[]): readonly PriceRow[] {
  const taken = new Map<string, readonly PriceRow[]>()
  for (const { prices } of winners) {
    const groups = Map.groupBy(
      prices.filter((price) => !isStandard(price)),
      ({ tier, region }) => `${tier} ${region}`,
    )
    for (const [key, group] of groups) if (!taken.has(key)) taken.set(key, group)
  }
  return [...taken.keys()].sort().flatMap((key) => taken.get(key) ?? [])
}
