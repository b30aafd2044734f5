import { type CsvCell, csvLine } from './csv.ts'

/** Version of the FinOps Open Cost and Usage Specification. */
export type FocusVersion = '1.2' | '1.3'

/** A column: what it holds, and whether it may be null. */
export interface FocusColumn {
  readonly name: string
  readonly type: 'string' | 'decimal' | 'datetime' | 'json'
  readonly nullable: boolean
  /** Versions that have it; left out = both. */
  readonly only?: FocusVersion
}

const column = (name: string, type: FocusColumn['type'], nullable: boolean, only?: FocusVersion): FocusColumn => ({
  name,
  type,
  nullable,
  ...(only !== undefined && { only }),
})

/**
 * What is written, in this order: all columns that both versions make mandatory, the conditional ones that a gateway has something to say
 * in, and our own. Version 1.3 deprecates `ProviderName` and `PublisherName` for `ServiceProviderName` and `HostProviderName`, and has both.
 */
export const FOCUS_COLUMNS: readonly FocusColumn[] = [
  column('BilledCost', 'decimal', false),
  column('BillingAccountId', 'string', false),
  column('BillingAccountName', 'string', true),
  column('BillingCurrency', 'string', false),
  column('BillingPeriodEnd', 'datetime', false),
  column('BillingPeriodStart', 'datetime', false),
  column('ChargeCategory', 'string', false),
  column('ChargeClass', 'string', true),
  column('ChargeDescription', 'string', true),
  column('ChargeFrequency', 'string', false),
  column('ChargePeriodEnd', 'datetime', false),
  column('ChargePeriodStart', 'datetime', false),
  column('ConsumedQuantity', 'decimal', true),
  column('ConsumedUnit', 'string', true),
  column('ContractedCost', 'decimal', false),
  column('ContractedUnitPrice', 'decimal', true),
  column('EffectiveCost', 'decimal', false),
  column('HostProviderName', 'string', false, '1.3'),
  column('InvoiceIssuerName', 'string', false),
  column('ListCost', 'decimal', false),
  column('ListUnitPrice', 'decimal', true),
  column('PricingCategory', 'string', true),
  column('PricingQuantity', 'decimal', true),
  column('PricingUnit', 'string', true),
  column('ProviderName', 'string', false),
  column('PublisherName', 'string', false),
  column('RegionId', 'string', true),
  column('ServiceCategory', 'string', false),
  column('ServiceName', 'string', false),
  column('ServiceProviderName', 'string', false, '1.3'),
  column('ServiceSubcategory', 'string', false),
  column('SkuId', 'string', true),
  column('SkuMeter', 'string', true),
  column('SkuPriceDetails', 'json', true),
  column('SkuPriceId', 'string', true),
  column('SubAccountId', 'string', true),
  column('SubAccountName', 'string', true),
  column('Tags', 'json', true),
  column('x_AttemptKind', 'string', false),
  column('x_Attempts', 'decimal', false),
  column('x_CatalogVersion', 'string', true),
  column('x_ConsumedTokens', 'decimal', true),
  column('x_Deployment', 'string', true),
  column('x_KeyId', 'string', false),
  column('x_PricePart', 'string', true),
  column('x_Purpose', 'string', true),
  column('x_Session', 'string', true),
  column('x_UnpricedAttempts', 'decimal', false),
  column('x_User', 'string', true),
]

/** Values by column; decimals are digits. */
export type FocusRow = Readonly<Record<string, string | null>>

/** The columns of a version. */
export function focusColumns(version: FocusVersion): readonly FocusColumn[] {
  return FOCUS_COLUMNS.filter(({ only }) => only === undefined || only === version)
}

/** Rows as CSV, a head first. */
export function focusCsv(rows: readonly FocusRow[], version: FocusVersion = '1.3'): string {
  const columns = focusColumns(version)
  const lines = rows.map((row) => csvLine(columns.map(({ name, type }) => cellOf(row[name] ?? null, type))))
  return csvLine(columns.map(({ name }) => name)) + lines.join('')
}

function cellOf(value: string | null, type: FocusColumn['type']): CsvCell {
  return value !== null && type === 'decimal' ? { digits: value } : value
}
