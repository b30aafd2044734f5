import type { Capability, EntryKind, Lifecycle, Limits, Modality, PriceRow, Route } from '../entry.ts'

/** Where a row comes from. */
export type SourceName =
  | 'portkey'
  | 'portkey-general'
  | 'models.dev'
  | 'pi-catalog'
  | 'genai-prices'
  | 'litellm'
  | 'tokenlens'
  | 'mastra'
  | 'seed'
  | 'override'

/** What one source says of one model at one provider, in the catalog's own units and names. What it does not say is absent. */
export interface SourceRow {
  readonly source: SourceName
  /** ISO date of the source's data. */
  readonly asOf: string
  /** Canonical slug. */
  readonly provider: string
  readonly model: string
  readonly name?: string
  readonly aliases?: readonly string[]
  readonly kind?: EntryKind
  readonly route?: Route
  readonly limits?: Limits
  readonly modalities?: { readonly input: readonly Modality[]; readonly output: readonly Modality[] }
  readonly caps?: Readonly<Partial<Record<Capability, boolean>>>
  readonly prices?: readonly PriceRow[]
  /** It gives input and output as 0: free, if another source agrees. */
  readonly saysFree?: true
  readonly lifecycle?: Partial<Lifecycle>
  /** Its prices are of a sibling provider: taken only where nobody else speaks, and marked. */
  readonly borrowed?: true
  /** One value that its plausibility forbade, kept out: field names. */
  readonly dropped?: readonly string[]
}

/** Sources in the order in which they are believed where dates do not decide. */
export const PRICE_ORDER: readonly SourceName[] = [
  'override',
  'portkey',
  'models.dev',
  'pi-catalog',
  'genai-prices',
  'litellm',
  'seed',
  'tokenlens',
  'mastra',
  'portkey-general',
]

/** The same for limits, modalities, flags and names. */
export const FACT_ORDER: readonly SourceName[] = [
  'override',
  'models.dev',
  'pi-catalog',
  'genai-prices',
  'portkey-general',
  'litellm',
  'seed',
  'tokenlens',
  'mastra',
  'portkey',
]

/** Sources that copy one another count as one witness. */
export function witnessOf(source: SourceName): string {
  if (source === 'mastra' || source === 'tokenlens') return 'models.dev'
  return source === 'portkey-general' ? 'portkey' : source
}
