import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryKind, Modality, PriceRow, Route } from '../../src/entry.ts'
import { compact, isRefusal, limitsOf, tokenPrices } from '../../src/feeds/row-values.ts'
import { canonicalProvider, isPseudoProvider } from '../../src/identity/providers.ts'
import type { SourceRow } from '../../src/merge/source-row.ts'
import { completePrice } from '../../src/stored-entry.ts'

interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

interface PiModel {
  readonly id: string
  readonly name: string
  readonly baseUrl: string
  readonly reasoning: boolean
  readonly input: readonly string[]
  readonly cost: Rates & {
    readonly longContext?: Rates & { readonly inputThreshold: number; readonly inputThresholdInclusive?: boolean }
    readonly timeBased?: {
      readonly offPeakMultiplier: number
      readonly peakWindows: readonly { readonly weekdays: number[]; readonly startMinute: number; readonly endMinute: number }[]
      readonly effectiveRates?: readonly (Rates & { readonly effectiveFrom: number })[]
    }
  }
  readonly contextWindow: number | null
  readonly maxTokens: number | null
  readonly supportsTools?: boolean
  readonly kind?: string
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  image: 'image',
  embedding: 'embedding',
  video: 'video',
  search: 'search',
  stt: 'transcription',
  rerank: 'rerank',
  tts: 'speech',
}

/** USD per million tokens to pico-USD per token. */
const USD_PER_MILLION = 1_000_000

/** Rows of `src/models.json`. Prices that are all 0 are unknown there, never free. */
export function readPiCatalog(folder: string, asOf: string): readonly SourceRow[] {
  const table = JSON.parse(readFileSync(join(folder, 'src/models.json'), 'utf8')) as Record<string, Record<string, PiModel>>
  const rows: SourceRow[] = []
  for (const [provider, models] of Object.entries(table)) {
    if (isPseudoProvider(provider)) continue
    for (const model of Object.values(models)) rows.push(rowOf(canonicalProvider(provider), model, asOf))
  }
  return rows
}

function rowOf(provider: string, model: PiModel, asOf: string): SourceRow {
  const kind = model.kind === undefined ? undefined : KINDS[model.kind]
  const input = model.input.filter((one): one is Modality => ['text', 'image', 'audio', 'video', 'pdf'].includes(one))
  const chat = kind === undefined
  return compact<SourceRow>({
    source: 'pi-catalog',
    asOf,
    provider,
    model: model.id,
    name: model.name,
    kind,
    route: routeOf(model.baseUrl),
    limits: limitsOf({ context: model.contextWindow, output: model.maxTokens }),
    modalities: chat ? { input, output: ['text'] } : undefined,
    caps: {
      ...compact<{ tools: boolean }>({ tools: model.supportsTools }),
      reasoning: model.reasoning,
      vision: input.includes('image'),
    },
    prices: pricesOf(model, asOf),
  })
}

function routeOf(baseUrl: string): Route | undefined {
  const plain = /^https:\/\/[^{}<>]+$/.test(baseUrl) && !baseUrl.endsWith('/anthropic')
  return plain ? { via: 'openai-compatible', baseUrl, envKeys: [] } : undefined
}

function pricesOf({ cost }: PiModel, asOf: string): readonly PriceRow[] {
  try {
    const effective = (cost.timeBased?.effectiveRates ?? [])
      .filter(({ effectiveFrom }) => effectiveFrom <= Date.parse(asOf))
      .at(-1)
    const base = ratesOf(effective ?? cost, 1)
    if (Object.keys(base).length === 0) return []
    const rows = [completePrice({ perToken: base })]
    if (cost.longContext !== undefined) {
      const { inputThreshold, inputThresholdInclusive } = cost.longContext
      const contextOver = inputThresholdInclusive === true ? inputThreshold - 1 : inputThreshold
      rows.push(completePrice({ contextOver, perToken: ratesOf(cost.longContext, 1) }))
    }
    const { timeBased } = cost
    if (timeBased === undefined) return rows
    const quiet = completePrice({ perToken: ratesOf(effective ?? cost, timeBased.offPeakMultiplier) })
    return [quiet, ...timeBased.peakWindows.map((hours) => completePrice({ hours, perToken: base }))]
  } catch (thrown) {
    if (isRefusal(thrown)) return []
    throw thrown
  }
}

function ratesOf({ input, output, cacheRead, cacheWrite }: Rates, times: number): PriceRow['perToken'] {
  const prices = tokenPrices({ input, output, cacheRead, cacheWrite5m: cacheWrite }, USD_PER_MILLION * times)
  return prices.input === undefined && prices.output === undefined ? {} : prices
}
