import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PriceRow, TokenPrices, UnitPrices } from '../../src/entry.ts'
import { compact, isRefusal, limitsOf, tokenPrices, unitPrices } from '../../src/feeds/row-values.ts'
import { canonicalProvider, isPseudoProvider } from '../../src/identity/providers.ts'
import type { SourceRow } from '../../src/merge/source-row.ts'
import { completePrice } from '../../src/stored-entry.ts'

type Price = number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] }
type Prices = Readonly<Record<string, Price>>

interface Constrained {
  readonly constraint?:
    | { readonly type: 'start_date'; readonly start_date: string }
    | { readonly type: 'time_of_date'; readonly start_time: string; readonly end_time: string }
  readonly prices: Prices
}

type Match = { readonly equals?: string; readonly or?: readonly Match[] }

interface GenaiModel {
  readonly id: string
  readonly name?: string
  readonly match: Match
  readonly context_window?: number
  readonly deprecated?: boolean
  readonly prices: Prices | readonly Constrained[]
}

/** The built-in table, as `waitForUpdate()` of the package gives it. */
export type GenaiTable = readonly { readonly id: string; readonly models: readonly GenaiModel[] }[]

const TOKENS: Readonly<Record<string, keyof TokenPrices>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite5m',
  cache_write_1h_mtok: 'cacheWrite1h',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'audioIn',
  output_audio_mtok: 'audioOut',
  input_image_mtok: 'imageIn',
  output_image_mtok: 'imageOut',
}

/** Units are priced by the thousand. */
const UNITS: Readonly<Record<string, Exclude<keyof UnitPrices, 'image'>>> = {
  web_searches_kcount: 'webSearch',
  storage_searches_kcount: 'fileSearch',
  requests_kcount: 'request',
  input_document_kpages: 'page',
}

const USD_PER_MILLION = 1_000_000
const USD_PER_THOUSAND = 1_000_000_000
const SECONDS_A_HOUR = 3600
const EVERY_DAY: readonly number[] = [0, 1, 2, 3, 4, 5, 6]

/** Offers over 200k that have ended: the 1M beta of these models. */
export const ENDED_BETA: RegExp = /claude-(sonnet-4([-.][05])?(-\d{8}|@|-v\d|:|$)|4(\.5)?-sonnet)/

/** Models that the table keeps under `google` and that the Gemini API does not serve. */
const VERTEX_ONLY = /^claude-|-maas$/

/** Rows of an unpacked tarball. Loads the package's own module, which holds the table; it asks no network. */
export async function readGenaiPrices(folder: string, asOf: string): Promise<readonly SourceRow[]> {
  const module = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as { waitForUpdate(): Promise<GenaiTable> }
  return genaiRows(await module.waitForUpdate(), asOf)
}

/** Rows of the table. Its `google` serves two clouds: it speaks for Vertex only where nobody else does. */
export function genaiRows(table: GenaiTable, asOf: string): readonly SourceRow[] {
  const rows: SourceRow[] = []
  for (const { id, models } of table) {
    if (isPseudoProvider(id)) continue
    for (const model of models) {
      const row = rowOf(canonicalProvider(id), model, asOf)
      if (id !== 'google' || !VERTEX_ONLY.test(model.id)) rows.push(row)
      if (id === 'google') rows.push({ ...row, provider: 'vertex-ai', borrowed: true })
    }
  }
  return rows
}

function rowOf(provider: string, model: GenaiModel, asOf: string): SourceRow {
  const aliases = equalsOf(model.match).filter((alias) => alias !== model.id)
  return compact<SourceRow>({
    source: 'genai-prices',
    asOf,
    provider,
    model: model.id,
    name: model.name,
    aliases: aliases.length > 0 ? aliases : undefined,
    limits: limitsOf({ context: model.context_window }),
    prices: pricesOf(model),
    lifecycle: model.deprecated === true ? { status: 'deprecated' } : undefined,
  })
}

function equalsOf(match: Match): readonly string[] {
  if (match.equals !== undefined) return [match.equals]
  return match.or?.flatMap(equalsOf) ?? []
}

function pricesOf(model: GenaiModel): readonly PriceRow[] {
  const ended = ENDED_BETA.test(model.id)
  try {
    if (!isList(model.prices)) return rowsOf(model.prices, {}, ended)
    const dated = model.prices.filter(({ constraint }) => constraint?.type !== 'time_of_date')
    const hourly = model.prices.filter(({ constraint }) => constraint?.type === 'time_of_date')
    const starts = dated.map(({ constraint }) => (constraint?.type === 'start_date' ? constraint.start_date : undefined))
    return [
      ...dated.flatMap(({ prices }, at) => rowsOf(prices, compact({ from: starts[at], until: starts[at + 1] }), ended)),
      // One constraint a row is all that the table can say: its hours are those of the latest price.
      ...hourly.flatMap(({ constraint, prices }) =>
        constraint?.type === 'time_of_date'
          ? rowsOf(prices, compact({ from: starts.at(-1), hours: hoursOf(constraint) }), ended)
          : [],
      ),
    ]
  } catch (thrown) {
    if (isRefusal(thrown)) return []
    throw thrown
  }
}

function isList(prices: GenaiModel['prices']): prices is readonly Constrained[] {
  return Array.isArray(prices)
}

function hoursOf(constraint: { readonly start_time: string; readonly end_time: string }): NonNullable<PriceRow['hours']> {
  return { weekdays: EVERY_DAY, startMinute: minuteOf(constraint.start_time), endMinute: minuteOf(constraint.end_time) }
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map((part) => Number.parseInt(part, 10))
  return hours * 60 + minutes
}

function rowsOf(prices: Prices, when: Partial<PriceRow>, ended: boolean): readonly PriceRow[] {
  const starts = new Set<number>()
  for (const price of Object.values(prices))
    if (typeof price === 'object') for (const { start } of price.tiers) starts.add(start)
  const at = (over: number | undefined): PriceRow => {
    const tokens: Partial<Record<keyof TokenPrices, number>> = {}
    const units: Partial<Record<Exclude<keyof UnitPrices, 'image'>, number>> = {}
    for (const [key, price] of Object.entries(prices)) {
      const value = typeof price === 'number' ? price : tierOf(price, over)
      const token = TOKENS[key]
      const unit = UNITS[key]
      if (token !== undefined) tokens[token] = value
      if (unit !== undefined) units[unit] = value
      if (key === 'audio_hours' || key === 'input_audio_hours') units.second = (value * 1000) / SECONDS_A_HOUR
    }
    return completePrice({
      ...when,
      ...(over === undefined ? {} : { contextOver: over }),
      perToken: tokenPrices(tokens, USD_PER_MILLION),
      perUnit: unitPrices(units, USD_PER_THOUSAND),
    })
  }
  const base = at(undefined)
  if (Object.keys(base.perToken).length + Object.keys(base.perUnit).length === 0) return []
  return [base, ...(ended ? [] : [...starts].sort((a, b) => a - b).map(at))]
}

function tierOf({ base, tiers }: Exclude<Price, number>, over: number | undefined): number {
  if (over === undefined) return base
  return tiers.filter(({ start }) => start <= over).at(-1)?.price ?? base
}
