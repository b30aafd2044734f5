import type { PriceRow, Tier, TokenPrices, UnitPrices } from '../entry.ts'
import { completePrice } from '../stored-entry.ts'
import type { ImageSize } from './litellm-names.ts'
import { asRecord, pico, tokenPrices, unitPrices } from './row-values.ts'

type Json = Readonly<Record<string, unknown>>

/** The feed's unit: USD a token, or a unit. */
const USD = 1_000_000_000_000

/** The file's wandb prices are this many times too high; only such as no token can cost are mended, so that a mended file stays right. */
const WANDB_ERROR = 100_000
const IMPLAUSIBLE_USD = 0.001

const FIELDS: Readonly<Record<string, keyof TokenPrices>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite5m',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1h',
  output_cost_per_reasoning_token: 'reasoning',
  input_cost_per_audio_token: 'audioIn',
  output_cost_per_audio_token: 'audioOut',
  input_cost_per_image_token: 'imageIn',
  output_cost_per_image_token: 'imageOut',
}

const TOKEN_KEY =
  /^((?:input|output)_cost_per_(?:token|reasoning_token|audio_token|image_token)|cache_read_input_token_cost|cache_creation_input_token_cost(?:_above_1hr)?)(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority))?$/

const TIERS: Readonly<Record<string, Tier>> = { batches: 'batch', flex: 'flex', priority: 'priority' }

const UPLIFT = /^regional_processing_uplift_multiplier_([a-z]+)$/
const OTHER_PRICE =
  /_cost_per_|_per_(image|pixel|second|character|query|page)|^search_context_cost|^tiered_pricing$|_token_cost/

/** True for a key that states a price, read or not: images inside chat, videos and storage by the day are not priced by us. */
export function isPriceKey(key: string): boolean {
  return TOKEN_KEY.test(key) || UPLIFT.test(key) || OTHER_PRICE.test(key)
}

/** Price rows of one entry of the file. */
export function litellmPrices(provider: string, record: Json): readonly PriceRow[] {
  const groups = new Map<string, { tier: Tier; over: number; tokens: Partial<Record<keyof TokenPrices, unknown>> }>()
  for (const [key, value] of Object.entries(record)) {
    const [, name, over, suffix] = TOKEN_KEY.exec(key) ?? []
    const field = name === undefined ? undefined : FIELDS[name]
    if (field === undefined) continue
    const tier = suffix === undefined ? 'standard' : (TIERS[suffix] as Tier)
    const above = over === undefined ? 0 : Number(over) * 1000
    const group = groups.get(`${tier} ${above}`) ?? { tier, over: above, tokens: {} }
    group.tokens[field] = mended(provider, value)
    groups.set(`${tier} ${above}`, group)
  }
  const rows = [...groups.values()].map(({ tier, over, tokens }) =>
    completePrice({ tier, ...(over === 0 ? {} : { contextOver: over }), perToken: tokenPrices(tokens, USD) }),
  )
  const perUnit = unitsOf(record)
  const base = rows.find(({ tier, contextOver }) => tier === 'standard' && contextOver === undefined)
  const all = [
    completePrice({ perToken: base?.perToken ?? {}, perUnit }),
    ...rows.filter((row) => row !== base),
    ...tieredRows(record.tiered_pricing, perUnit),
  ].filter((row) => Object.keys(row.perToken).length + Object.keys(row.perUnit).length > 0)
  return [...all, ...uplifted(record, all)]
}

function mended(provider: string, value: unknown): unknown {
  return provider === 'wandb' && typeof value === 'number' && value >= IMPLAUSIBLE_USD ? value / WANDB_ERROR : value
}

function unitsOf(record: Json): UnitPrices {
  const mode = record.mode
  const context = asRecord(record.search_context_cost_per_query)
  const image = mode === 'image_generation' || mode === 'image_edit' ? pricePerImage(record, undefined) : undefined
  const perThousand = (value: unknown): unknown => (typeof value === 'number' ? value / 1000 : value)
  return {
    ...unitPrices(
      {
        second:
          mode === 'video_generation'
            ? record.output_cost_per_second
            : mode === 'chat'
              ? undefined
              : record.input_cost_per_second,
        character: record.input_cost_per_character,
        search: record.input_cost_per_query,
        page: record.ocr_cost_per_page,
        webSearch: context?.search_context_size_medium,
        fileSearch: perThousand(record.file_search_cost_per_1k_calls),
      },
      USD,
    ),
    ...(image === undefined ? {} : { image: { 'default/default': image } }),
  }
}

/** Pico-USD an image: by the image, else by its pixels. */
export function pricePerImage(record: Json, size: ImageSize | undefined): number | undefined {
  const each =
    pico(record.output_cost_per_image, USD, 'output_cost_per_image') ??
    pico(record.input_cost_per_image, USD, 'input_cost_per_image')
  if (each !== undefined || size?.pixels === undefined) return each
  return pico(record.input_cost_per_pixel, USD * size.pixels, 'input_cost_per_pixel')
}

/** Ranges are read like other thresholds: the whole request moves to the range that it falls into. */
function tieredRows(value: unknown, perUnit: UnitPrices): readonly PriceRow[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((given) => {
    const record = asRecord(given)
    const start = Array.isArray(record?.range) ? record.range[0] : undefined
    if (record === undefined || typeof start !== 'number' || !Number.isSafeInteger(start) || start < 0) return []
    const { input_cost_per_token: input, output_cost_per_token: output, cache_read_input_token_cost: cacheRead } = record
    const perToken = tokenPrices({ input, output, cacheRead }, USD)
    return [completePrice({ ...(start === 0 ? { perUnit } : { contextOver: start }), perToken })]
  })
}

function uplifted(record: Json, rows: readonly PriceRow[]): readonly PriceRow[] {
  return Object.entries(record).flatMap(([key, times]) => {
    const region = UPLIFT.exec(key)?.[1]
    if (region === undefined || typeof times !== 'number' || !(times > 0)) return []
    return rows.map((row) => ({
      ...row,
      region,
      perToken: Object.fromEntries(Object.entries(row.perToken).map(([field, each]) => [field, Math.round(each * times)])),
    }))
  })
}
