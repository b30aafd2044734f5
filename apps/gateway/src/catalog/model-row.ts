import {
  basePrice,
  CAPABILITIES,
  type Capability,
  type Entry,
  hasCapability,
  type LifecycleStatus,
  statusAt,
} from '@switchyard/catalog'

/** What is told of a model in a list. Prices in USD per million tokens at the standard tier; null where nobody knows. */
export interface ModelRow {
  readonly id: string
  readonly provider: string
  readonly kind: Entry['kind']
  readonly endpoints: Entry['endpoints']
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  readonly inputPrice: number | null
  readonly outputPrice: number | null
  readonly free: boolean
  /** How far the sources of its price agree. */
  readonly confidence: Entry['provenance']['confidence']
  readonly capabilities: readonly Capability[]
  readonly modalities: Entry['modalities']
  readonly status: LifecycleStatus
}

const PICO_PER_USD_PER_MILLION = 1_000_000

/** An entry of the catalog as it stands at `now`, epoch ms. */
export function modelRow(entry: Entry, now: number): ModelRow {
  const { input, output } = entry.free ? { input: 0, output: 0 } : (basePrice(entry) ?? {})
  return {
    id: entry.id,
    provider: entry.provider,
    kind: entry.kind,
    endpoints: entry.endpoints,
    contextTokens: entry.limits.context ?? null,
    maxOutputTokens: entry.limits.output ?? null,
    inputPrice: input === undefined ? null : input / PICO_PER_USD_PER_MILLION,
    outputPrice: output === undefined ? null : output / PICO_PER_USD_PER_MILLION,
    free: entry.free,
    confidence: entry.provenance.confidence,
    capabilities: CAPABILITIES.filter((name) => hasCapability(entry, name)),
    modalities: entry.modalities,
    status: statusAt(entry, now),
  }
}
