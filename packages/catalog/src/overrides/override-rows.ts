import { TIERS, type Tier, type TokenPrices, type UnitPrices } from '../entry.ts'
import { asRecord, compact, isRefusal, pico, refuse, tokenPrices, unitPrices } from '../feeds/row-values.ts'
import { canonicalProvider } from '../identity/providers.ts'
import { neighbours } from '../nearest.ts'

/** A team's own word on one price of one model, from a moment on. Amounts as in `PriceRow`. */
export interface Override {
  /** Canonical slug. */
  readonly provider: string
  readonly model: string
  /** Absent: for every tenant. */
  readonly tenant?: string
  readonly tier: Tier
  readonly region: string
  readonly contextOver?: number
  /** ISO date or instant: what was used before is priced as it was. */
  readonly from: string
  readonly until?: string
  readonly perToken: TokenPrices
  readonly perUnit: UnitPrices
  /** Costs nothing, such as a model on one's own hardware. */
  readonly free?: true
  readonly context?: number
  readonly maxOutput?: number
  /** Address of an OpenAI-compatible host, for a provider that the catalog does not know. */
  readonly baseUrl?: string
  /** Page or contract that it stands in. */
  readonly source?: string
}

/** What became of rows; a bad one is left out and named, the others hold. */
export interface OverrideRows {
  readonly overrides: readonly Override[]
  /** `row` counts from 0. */
  readonly rejected: readonly { readonly row: number; readonly reason: string }[]
}

const TOKEN_FIELDS = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'reasoning',
  'audioIn',
  'audioOut',
  'imageIn',
  'imageOut',
] as const satisfies readonly (keyof TokenPrices)[]

const UNIT_FIELDS = ['request', 'second', 'minute', 'page', 'character', 'search', 'webSearch', 'fileSearch'] as const

const FIELDS: readonly string[] = [
  'provider',
  'model',
  'tenant',
  'tier',
  'region',
  'contextOver',
  'from',
  'until',
  'free',
  'context',
  'maxOutput',
  'baseUrl',
  'source',
  ...TOKEN_FIELDS,
  ...UNIT_FIELDS,
]

/** Names of columns where SQL reserves the plain one, and snake case of all. */
const COLUMNS: ReadonlyMap<string, string> = new Map([
  ...FIELDS.map((field): [string, string] => [field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), field]),
  ...FIELDS.map((field): [string, string] => [field, field]),
  ['valid_from', 'from'],
  ['valid_until', 'until'],
  ['cache_write_5m', 'cacheWrite5m'],
  ['cache_write_1h', 'cacheWrite1h'],
])

const alike = neighbours(FIELDS)

/** Token prices are written in USD per million tokens, units in USD each. */
const USD_PER_MILLION = 1_000_000
const USD = 1_000_000_000_000

/**
 * Reads a team's overrides: rows of a file (an array of objects) or of a query, with names in camel or snake case, numbers also as the
 * decimal strings that SQL drivers give, null for nothing. `model` is `provider/model`, or the model beside a `provider`. A row must
 * have `from` and a price, limit or `free`; a key that is not known refuses the row, naming the nearest.
 */
export function overridesFromRows(rows: readonly unknown[]): OverrideRows {
  const overrides: Override[] = []
  const rejected: { row: number; reason: string }[] = []
  for (const [row, value] of rows.entries()) {
    try {
      overrides.push(overrideOf(value))
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown
      rejected.push({ row, reason: thrown.refused })
    }
  }
  return { overrides, rejected }
}

function overrideOf(value: unknown): Override {
  const given = fieldsOf(asRecord(value) ?? refuse('not an object'))
  const { provider, model } = nameIn(given)
  const from = dateIn(given, 'from') ?? refuse('from is missing: a price holds from a date on')
  const until = dateIn(given, 'until')
  if (until !== undefined && Date.parse(until) <= Date.parse(from)) refuse('until is not after from')
  const perToken = tokenPrices(pick(given, TOKEN_FIELDS), USD_PER_MILLION)
  const perUnit = unitPrices(pick(given, UNIT_FIELDS), USD)
  const free = given.free === true || given.free === 'true' ? true : undefined
  const context = wholeIn(given, 'context')
  const maxOutput = wholeIn(given, 'maxOutput')
  const prices = Object.keys(perToken).length + Object.keys(perUnit).length
  if (free === true && prices > 0) refuse('free and priced at once')
  if (free === undefined && prices === 0 && context === undefined && maxOutput === undefined)
    refuse('states no price, limit or free')
  return compact<Override>({
    provider,
    model,
    tenant: textIn(given, 'tenant'),
    tier: tierIn(given),
    region: textIn(given, 'region') ?? '*',
    contextOver: wholeIn(given, 'contextOver'),
    from,
    until,
    perToken,
    perUnit,
    free,
    context,
    maxOutput,
    baseUrl: textIn(given, 'baseUrl'),
    source: textIn(given, 'source'),
  })
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(record: Fields): Fields {
  const fields: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(record)) {
    const field = COLUMNS.get(column)
    if (field === undefined) {
      const [nearest] = alike.nearest(column, 1)
      refuse(`${column} is not known${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
    }
    if (value !== null && value !== undefined) fields[field] = value
  }
  return fields
}

function nameIn(given: Fields): { readonly provider: string; readonly model: string } {
  const model = textIn(given, 'model') ?? refuse('model is missing')
  const provider = textIn(given, 'provider')
  if (provider !== undefined) return { provider: canonicalProvider(provider), model }
  const slash = model.indexOf('/')
  if (slash <= 0 || slash === model.length - 1)
    refuse(`model ${JSON.stringify(model)} is not provider/model, and there is no provider`)
  return { provider: canonicalProvider(model.slice(0, slash)), model: model.slice(slash + 1) }
}

/** Numbers, also as SQL writes them. A price of 0 is refused: it would read as unknown. */
function pick<K extends string>(given: Fields, fields: readonly K[]): Partial<Record<K, unknown>> {
  const picked: Partial<Record<K, unknown>> = {}
  for (const field of fields) {
    const value = given[field]
    if (value === undefined) continue
    picked[field] = typeof value === 'string' && /^\d+(\.\d+)?(e-?\d+)?$/i.test(value) ? Number(value) : value
    if (pico(picked[field], USD, field) === undefined) refuse(`${field} is 0; a model that costs nothing has free: true`)
  }
  return picked
}

function textIn(given: Fields, field: string): string | undefined {
  const value = given[field]
  if (value === undefined) return undefined
  return typeof value === 'string' && value !== '' ? value : refuse(`${field} is not a text`)
}

function wholeIn(given: Fields, field: string): number | undefined {
  const value = given[field]
  if (value === undefined) return undefined
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0
    ? number
    : refuse(`${field} is not a whole number above 0`)
}

function tierIn(given: Fields): Tier {
  const value = given.tier ?? 'standard'
  return TIERS.find((tier) => tier === value) ?? refuse(`tier ${JSON.stringify(value)} is none of ${TIERS.join(', ')}`)
}

/** Drivers give dates as objects. */
function dateIn(given: Fields, field: string): string | undefined {
  const value = given[field]
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? refuse(`${field} is no date`) : value.toISOString()
  const text = textIn(given, field)
  if (text === undefined) return undefined
  return /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text)) ? text : refuse(`${field} is no ISO date`)
}
