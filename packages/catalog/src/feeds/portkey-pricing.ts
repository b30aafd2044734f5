import type { PriceRow, TokenPrices, UnitPrices } from '../entry.ts'
import { TIERS } from '../entry.ts'
import { kindByName } from '../identity/kinds.ts'
import { canonicalProvider } from '../identity/providers.ts'
import type { SourceRow } from '../merge/source-row.ts'
import { completePrice } from '../stored-entry.ts'
import { collector, type Import, parseFeed } from './feed.ts'
import { contextPairs } from './portkey-pairs.ts'
import { asRecord, bothZero, compact, pico, refuse, tokenPrices, unitPrices } from './row-values.ts'

type Json = Readonly<Record<string, unknown>>

/** The feed's unit: US cents a token, and cents a unit. */
const CENTS = 10_000_000_000

/** A "token" that costs more than this many pico-USD is a page, a search or a minute in the wrong field. */
const NO_TOKEN = 1_000_000_000

const TOKEN_KEYS: Readonly<Record<string, keyof TokenPrices>> = {
  request_token: 'input',
  request_text_token: 'input',
  response_token: 'output',
  response_text_token: 'output',
  cache_read_input_token: 'cacheRead',
  cache_write_input_token: 'cacheWrite5m',
  reasoning_token: 'reasoning',
  request_audio_token: 'audioIn',
  response_audio_token: 'audioOut',
  request_image_token: 'imageIn',
  response_image_token: 'imageOut',
}

/** Prices by the token that the feed keeps among the units. */
const TOKENS_AMONG_UNITS: Readonly<Record<string, keyof TokenPrices>> = {
  cache_write_1h: 'cacheWrite1h',
  image_token: 'imageOut',
  request_audio_token: 'audioIn',
  response_audio_token: 'audioOut',
}

const UNITS: Readonly<Record<string, Exclude<keyof UnitPrices, 'image'>>> = {
  web_search: 'webSearch',
  search: 'webSearch',
  file_search: 'fileSearch',
  video_seconds: 'second',
}

/** In what the input of these kinds is counted where its "token" price is none, and units of our price in one of the feed's. */
const UNIT_OF_KIND: Readonly<Record<string, Exclude<keyof UnitPrices, 'image'>>> = {
  rerank: 'search',
  ocr: 'page',
  transcription: 'minute',
}

export interface PortkeyPricingOptions {
  /** ISO date on which the bytes were fetched. */
  readonly asOf: string
  /** Tokens above which a model's long-context price holds, from a source that knows; for models that the feed splits in two. */
  readonly threshold?: (provider: string, model: string) => number | undefined
}

const MODEL_KEYS: ReadonlySet<string> = new Set(['pricing_config', 'custom_pricing'])

/**
 * Reads one file of Portkey's `pricing/`, US cents a token.
 * @param slug The file's name without `.json`.
 * @throws SwitchyardError `UPSTREAM_INVALID` for what is not such a file.
 */
export function importPortkeyPricing(slug: string, bytes: Uint8Array, options: PortkeyPricingOptions): Import {
  const provider = canonicalProvider(slug)
  const found = collector()
  const models = Object.entries(parseFeed(bytes, `portkey pricing/${slug}`)).filter(([id]) => id !== 'default')
  for (const { model, base, over, contextOver } of contextPairs(models, (name) => options.threshold?.(provider, name))) {
    found.read(`${provider}/${model}`, () => {
      const record = asRecord(base) ?? refuse('not an object')
      found.keys(record, MODEL_KEYS)
      const long = over === undefined ? [] : pricesOf(model, asRecord(over) ?? refuse('not an object'))
      const prices = [...pricesOf(model, record), ...long.map((row) => ({ ...row, contextOver }))]
      const payg = asRecord(asRecord(record.pricing_config)?.pay_as_you_go)
      return [
        compact<SourceRow>({
          source: 'portkey',
          asOf: options.asOf,
          provider,
          model,
          prices: withoutRepeats(prices),
          saysFree: bothZero(priceIn(payg?.request_token), priceIn(payg?.response_token)) ? true : undefined,
        }),
      ]
    })
  }
  return found.result()
}

/** A long-context price equal to the short one says nothing. */
function withoutRepeats(rows: readonly PriceRow[]): readonly PriceRow[] {
  return rows.filter(
    (row) =>
      row.contextOver === undefined ||
      !rows.some(
        (base) =>
          base.contextOver === undefined &&
          base.tier === row.tier &&
          base.region === row.region &&
          JSON.stringify(base.perToken) === JSON.stringify(row.perToken),
      ),
  )
}

function pricesOf(model: string, record: Json): readonly PriceRow[] {
  const config = asRecord(record.pricing_config)
  const rows: PriceRow[] = []
  const add = (config: unknown, when: Partial<PriceRow>): void => {
    const rates = asRecord(config)
    if (rates === undefined) return
    const row = completePrice({ ...when, ...ratesOf(model, rates) })
    if (Object.keys(row.perToken).length + Object.keys(row.perUnit).length > 0) rows.push(row)
  }
  add(config?.pay_as_you_go, {})
  add(config?.batch_config, { tier: 'batch' })
  const custom = asRecord(record.custom_pricing)
  const thresholds = thresholdsOf(custom)
  for (const [keys, value] of Object.entries(asRecord(custom?.regions) ?? {})) {
    for (const key of keys.split(',')) {
      const region = key.trim() === 'default' ? '*' : key.trim()
      for (const [mode, given] of Object.entries(asRecord(asRecord(value)?.execution_modes) ?? {})) {
        const tier = TIERS.find((one) => one === mode)
        const record = asRecord(given)
        if (tier === undefined || record === undefined) continue
        add(asRecord(record.pricing_config)?.pay_as_you_go, { tier, region })
        for (const [name, inTier] of Object.entries(asRecord(record.context_tiers) ?? {})) {
          const contextOver = thresholds.get(name)
          if (contextOver === undefined) continue
          const rates = asRecord(asRecord(inTier)?.pricing_config)?.pay_as_you_go
          add(rates, { tier, region, ...(contextOver === 0 ? {} : { contextOver }) })
        }
      }
    }
  }
  return oneOfEach(rows)
}

/** `custom_pricing` repeats the plain prices with more detail: of two rows under the same conditions the richer one stays. */
function oneOfEach(rows: readonly PriceRow[]): readonly PriceRow[] {
  const kept = new Map<string, PriceRow>()
  for (const row of rows) {
    const key = `${row.tier} ${row.region} ${row.contextOver ?? 0}`
    const before = kept.get(key)
    if (before === undefined) kept.set(key, row)
    else
      kept.set(key, {
        ...row,
        perToken: { ...row.perToken, ...before.perToken },
        perUnit: { ...row.perUnit, ...before.perUnit },
      })
  }
  return [...kept.values()]
}

/** Tier names by the tokens above which they hold. */
function thresholdsOf(custom: Json | undefined): ReadonlyMap<string, number> {
  const map = new Map<string, number>()
  for (const [over, name] of Object.entries(asRecord(custom?.context_tier_map) ?? {})) {
    if (typeof name === 'string' && /^\d+$/.test(over)) map.set(name, Number(over))
  }
  return map
}

function ratesOf(model: string, rates: Json): Pick<PriceRow, 'perToken' | 'perUnit'> {
  const tokens: Partial<Record<keyof TokenPrices, unknown>> = {}
  const units: Partial<Record<Exclude<keyof UnitPrices, 'image'>, unknown>> = {}
  const among = asRecord(rates.additional_units) ?? {}
  for (const [key, value] of Object.entries(among)) {
    const token = TOKENS_AMONG_UNITS[key]
    const unit = UNITS[key]
    if (token !== undefined) tokens[token] = priceIn(value)
    if (unit !== undefined) units[unit] ??= priceIn(value)
  }
  for (const [key, value] of Object.entries(rates)) {
    const token = TOKEN_KEYS[key]
    if (token !== undefined) tokens[token] = priceIn(value) ?? tokens[token]
  }
  const unit = UNIT_OF_KIND[kindByName(model) ?? '']
  if (unit !== undefined) moveToUnits(tokens, units, unit)
  const image = imagesOf(rates.image)
  return {
    perToken: tokenPrices(tokens, CENTS),
    perUnit: { ...unitPrices(units, CENTS), ...(image === undefined ? {} : { image }) },
  }
}

/** Prices by the page, search or minute stand in the token fields. */
function moveToUnits(
  tokens: Partial<Record<keyof TokenPrices, unknown>>,
  units: Partial<Record<Exclude<keyof UnitPrices, 'image'>, unknown>>,
  unit: Exclude<keyof UnitPrices, 'image'>,
): void {
  for (const field of ['input', 'audioIn'] as const) {
    const amount = pico(tokens[field], CENTS, field)
    if (amount === undefined || amount < NO_TOKEN) continue
    units[unit] = tokens[field]
    delete tokens[field]
  }
}

function priceIn(value: unknown): unknown {
  return asRecord(value)?.price
}

/** Cents an image by quality and size, as `hd/1024x1024`; `default` stands for what the request leaves out. */
function imagesOf(value: unknown): Readonly<Record<string, number>> | undefined {
  const images: Record<string, number> = {}
  for (const [quality, sizes] of Object.entries(asRecord(value) ?? {})) {
    for (const [size, price] of Object.entries(asRecord(sizes) ?? {})) {
      const amount = pico(priceIn(price), CENTS, `image ${quality} ${size}`)
      if (amount !== undefined) images[`${quality}/${size}`] = amount
    }
  }
  return Object.keys(images).length === 0 ? undefined : images
}
