import { type CallOptions, type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import { type RawBuilder, sql } from 'kysely'
import type { Dialect } from '../ledger/schema.ts'
import { windowAt } from '../limits/window.ts'
import { picoOfHalves, signedUsd, wholeOf } from './amounts.ts'
import { daysOf } from './days.ts'
import { conditionOf } from './dimensions.ts'
import { type FocusRow, type FocusVersion, focusColumns } from './focus-columns.ts'
import type { CostRows } from './port.ts'
import { ask } from './report.ts'

const MOST_ROWS = 100_000

/** Columns of the ledger that tell rows of one day and part apart. */
const PAYERS = [
  'tenant',
  'team',
  'key_id',
  'user_id',
  'provider',
  'model',
  'deployment',
  'session',
  'tags',
  'purpose',
  'kind',
  'catalog_version',
  'price_row',
] as const

type Found = Readonly<Record<(typeof PAYERS)[number], string | null>> & {
  readonly day: string
  readonly part: string | null
  readonly each: unknown
  /** Of parts whose quantity is no whole number: the quantity, of which there are so many. */
  readonly fraction: unknown
  readonly quantity: unknown
  readonly attempts: unknown
  readonly pico_whole: unknown
  readonly pico_rest: unknown
  readonly tokens: unknown
  readonly unpriced: unknown
}

/**
 * The ledger by the columns of FOCUS, one row a day (UTC), price part and payer. Costs add up to the ledger's exact ones: what has no
 * parts of its own, such as an attempt whose end is not known, or its correction, stands in rows without a price.
 */
export async function focusRows(
  database: SqlDatabase,
  dialect: Dialect,
  query: CostRows & { readonly version?: FocusVersion | undefined },
  options?: CallOptions,
): Promise<readonly FocusRow[]> {
  const days = daysOf(query, 'UTC')
  const condition = conditionOf(query, dialect)
  const found = await ask<Found>(database, dialect, statementOf(condition, days.place, dialect), options)
  if (found.length > MOST_ROWS)
    throw new SwitchyardError('TOO_LARGE', `more than ${MOST_ROWS} rows: ask for fewer days, or for one tenant at a time`)
  const names = focusColumns(query.version ?? '1.3').map(({ name }) => name)
  return found.filter(saysSomething).map((row) => {
    const start = days.starts[Number(row.day)] as number
    const all = valuesOf(row, start)
    return Object.fromEntries(names.map((name) => [name, all[name] ?? null]))
  })
}

function statementOf(condition: RawBuilder<boolean>, day: RawBuilder<string>, dialect: Dialect): RawBuilder<unknown> {
  const payers = sql.join(PAYERS.map((name) => sql.ref(`switchyard_ledger.${name}`)))
  const hasParts = sql`kind = 'attempt' AND cost_pusd IS NOT NULL AND cost_parts IS NOT NULL AND cost_parts <> '{}'`
  const [parts, name, quantity, each] =
    dialect === 'postgres'
      ? [
          sql`jsonb_each(cost_parts::jsonb) AS p(part, value)`,
          sql`p.part`,
          sql`(p.value ->> 0)::numeric`,
          sql`(p.value ->> 1)::numeric`,
        ]
      : [sql`json_each(cost_parts) AS p`, sql`p.key`, sql`json_extract(p.value, '$[0]')`, sql`json_extract(p.value, '$[1]')`]
  const isWhole = sql`${quantity} = CAST(${quantity} AS ${sql.raw(dialect === 'postgres' ? 'BIGINT' : 'INTEGER')})`
  const groups = sql.join(Array.from({ length: PAYERS.length + 4 }, (_, index) => sql.lit(index + 1)))
  const priced = sql`
    SELECT ${day} AS day, ${payers}, ${name} AS part, CAST(${each} AS TEXT) AS each,
      CASE WHEN ${isWhole} THEN NULL ELSE CAST(${quantity} AS TEXT) END AS fraction,
      CAST(SUM(CASE WHEN ${isWhole} THEN ${quantity} ELSE 1 END) AS ${sql.raw(dialect === 'postgres' ? 'BIGINT' : 'INTEGER')}) AS quantity,
      COUNT(*) AS attempts, 0 AS pico_whole, 0 AS pico_rest, 0 AS tokens, 0 AS unpriced
    FROM switchyard_ledger CROSS JOIN ${dialect === 'postgres' ? sql`LATERAL ` : sql``}${parts}
    WHERE ${condition} AND ${hasParts} GROUP BY ${groups}`
  const rest = sql`
    SELECT ${day} AS day, ${payers}, NULL AS part, NULL AS each, NULL AS fraction, 0 AS quantity, COUNT(*) AS attempts,
      COALESCE(SUM(cost_pusd / 1000000), 0) AS pico_whole, COALESCE(SUM(cost_pusd % 1000000), 0) AS pico_rest,
      COALESCE(SUM(COALESCE(input_tokens, 0) + COALESCE(output_tokens, 0)), 0) AS tokens,
      COALESCE(SUM(CASE WHEN unknown_parts IS NOT NULL THEN 1 ELSE 0 END), 0) AS unpriced
    FROM switchyard_ledger WHERE ${condition} AND NOT (${hasParts}) AND kind <> 'cache'
    GROUP BY ${sql.join(Array.from({ length: PAYERS.length + 1 }, (_, index) => sql.lit(index + 1)))}`
  return sql`SELECT * FROM (${priced} UNION ALL ${rest}) f ORDER BY day, tenant, key_id, model, part LIMIT ${sql.lit(MOST_ROWS + 1)}`
}

function saysSomething(row: Found): boolean {
  return row.part !== null || costOf(row) !== 0n || Number(row.tokens) > 0 || Number(row.unpriced) > 0
}

/** Fractions of a unit are billed to the thousandth, rounded up, as the catalog prices them. */
function costOf({ part, quantity, each, fraction, pico_whole, pico_rest }: Found): bigint {
  if (part === null) return picoOfHalves(pico_whole, pico_rest)
  if (fraction === null) return wholeOf(quantity) * wholeOf(each)
  const thousandths = BigInt(Math.ceil(Number(fraction) * 1_000))
  return wholeOf(quantity) * ((thousandths * wholeOf(each) + 999n) / 1_000n)
}

function valuesOf(row: Found, dayStart: number): Readonly<Record<string, string | null>> {
  const pico = costOf(row)
  const cost = signedUsd(pico)
  const month = windowAt('month', 'UTC', dayStart)
  const { part, model, tenant, team, kind } = row
  const provider = row.provider === null || row.provider === '' ? 'unknown' : row.provider
  const [tier = '', region = ''] = (row.price_row ?? '').split('/')
  const quantity = quantityOf(row)
  const unit = part === null ? null : unitOf(part)
  const isPriced = part !== null
  return {
    BilledCost: cost,
    BillingAccountId: tenant,
    BillingAccountName: tenant,
    BillingCurrency: 'USD',
    BillingPeriodEnd: instant(month.endsAt as number),
    BillingPeriodStart: instant(month.startsAt),
    ChargeCategory: 'Usage',
    // A correction is booked where its attempt began, so that no closed period is reopened by another one's row.
    ChargeClass: null,
    ChargeDescription: isPriced ? `${part} of ${model}` : `${model}: ${WITHOUT_PARTS[kind ?? ''] ?? 'without a price'}`,
    ChargeFrequency: 'Usage-Based',
    ChargePeriodEnd: instant(dayStart + 86_400_000),
    ChargePeriodStart: instant(dayStart),
    ConsumedQuantity: isPriced ? quantity : null,
    ConsumedUnit: unit,
    ContractedCost: cost,
    ContractedUnitPrice: unitPriceOf(row),
    EffectiveCost: cost,
    HostProviderName: provider,
    InvoiceIssuerName: provider,
    ListCost: cost,
    ListUnitPrice: unitPriceOf(row),
    PricingCategory: isPriced
      ? tier === 'standard' || tier === ''
        ? 'Standard'
        : tier === 'priority'
          ? 'Other'
          : 'Dynamic'
      : null,
    PricingQuantity: isPriced ? quantity : null,
    PricingUnit: unit,
    ProviderName: provider,
    PublisherName: provider,
    RegionId: region === '' || region === '*' ? null : region,
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: model,
    ServiceProviderName: provider,
    ServiceSubcategory: 'Generative AI',
    SkuId: isPriced ? model : null,
    SkuMeter: part,
    SkuPriceDetails: isPriced ? JSON.stringify({ x_Tier: tier === '' ? 'standard' : tier }) : null,
    SkuPriceId: isPriced ? `${model}#${row.price_row ?? 'free'}#${part}@${row.each}` : null,
    SubAccountId: team,
    SubAccountName: team,
    Tags: row.tags ?? '{}',
    x_AttemptKind: kind,
    x_Attempts: String(row.attempts),
    x_CatalogVersion: row.catalog_version,
    x_ConsumedTokens: isPriced ? (unit === 'tokens' ? quantity : null) : String(row.tokens),
    x_Deployment: row.deployment,
    x_KeyId: row.key_id,
    x_PricePart: part,
    x_Purpose: row.purpose,
    x_Session: row.session,
    x_UnpricedAttempts: String(row.unpriced),
    x_User: row.user_id,
  }
}

const WITHOUT_PARTS: Readonly<Record<string, string>> = {
  unsettled: 'an attempt whose end is not known, at its expected cost',
  adjustment: 'correction of an attempt that had been booked at its expected cost',
}
const TOKEN_PARTS: ReadonlySet<string> = new Set([
  'input',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioIn',
  'imageIn',
  'output',
  'reasoning',
  'audioOut',
  'imageOut',
])

function unitOf(part: string): string {
  if (TOKEN_PARTS.has(part)) return 'tokens'
  return part === 'request' ? 'requests' : part
}

function quantityOf({ quantity, fraction }: Found): string {
  return fraction === null ? wholeOf(quantity).toString() : String(Number(fraction) * Number(quantity))
}

/** Left out where a rounded quantity was billed: price times quantity would not be the cost. */
function unitPriceOf({ part, each, fraction }: Found): string | null {
  return part === null || fraction !== null ? null : signedUsd(wholeOf(each))
}

function instant(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z')
}
