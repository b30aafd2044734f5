import type { Capability, EntryKind, Lifecycle, LifecycleStatus, Modality, PriceRow, Route, Tier } from '../entry.ts'
import { canonicalProvider, isPseudoProvider } from '../identity/providers.ts'
import type { SourceName, SourceRow } from '../merge/source-row.ts'
import { finish, type Work } from '../slices.ts'
import { completePrice } from '../stored-entry.ts'
import { collector, type Import, parseFeed } from './feed.ts'
import { asFlag, asRecord, asText, bothZero, compact, limitsOf, refuse, tokenPrices } from './row-values.ts'

type Json = Readonly<Record<string, unknown>>

/** The feed's unit: USD per million tokens. */
const USD_PER_MILLION = 1_000_000

const MODEL_KEYS: ReadonlySet<string> = new Set(
  (
    'id name description family attachment reasoning reasoning_options tool_call structured_output temperature knowledge release_date ' +
    'last_updated open_weights status modalities limit cost experimental provider interleaved'
  ).split(' '),
)
const COST_KEYS: ReadonlySet<string> = new Set(
  'input output reasoning cache_read cache_write input_audio output_audio tiers context_over_200k'.split(' '),
)

/**
 * Reads models.dev's `api.json`: `{provider: {models: {id: model}}}`, USD per million tokens.
 * @param options.asOf ISO date on which the bytes were fetched.
 * @throws SwitchyardError `UPSTREAM_INVALID` for what is not such a file.
 */
export function importModelsDev(bytes: Uint8Array, options: { readonly asOf: string }): Import {
  return finish(importingModelsDev(bytes, options))
}

/** `importModelsDev` as work that pauses behind each model. */
export function* importingModelsDev(bytes: Uint8Array, { asOf }: { readonly asOf: string }): Work<Import> {
  yield 'rest'
  const parsed = parseFeed(bytes, 'models.dev')
  yield 'rest'
  return yield* readingModelsDev(parsed, 'models.dev', asOf)
}

/** Reads parsed content in models.dev's shape, under the name of the source that it comes by. */
export function readModelsDev(providers: Json, source: SourceName, asOf: string): Import {
  return finish(readingModelsDev(providers, source, asOf))
}

function* readingModelsDev(providers: Json, source: SourceName, asOf: string): Work<Import> {
  const found = collector()
  for (const [id, value] of Object.entries(providers)) {
    if (isPseudoProvider(id)) continue
    const provider = asRecord(value)
    const models = asRecord(provider?.models)
    if (provider === undefined || models === undefined) {
      found.read(id, () => refuse('a provider without models'))
      continue
    }
    const route = routeOf(provider)
    for (const [model, given] of Object.entries(models)) {
      found.read(`${id}/${model}`, () => {
        const record = asRecord(given) ?? refuse('not an object')
        found.keys(record, MODEL_KEYS)
        found.keys(asRecord(record.cost) ?? {}, COST_KEYS)
        return [compact<SourceRow>({ source, asOf, provider: canonicalProvider(id), route, ...rowOf(model, record) })]
      })
      yield
    }
  }
  return found.result()
}

function routeOf({ api, env }: Json): Route | undefined {
  const baseUrl = asText(api)
  if (baseUrl === undefined || !baseUrl.startsWith('https://')) return undefined
  return { via: 'openai-compatible', baseUrl, envKeys: Array.isArray(env) ? env.filter((key) => typeof key === 'string') : [] }
}

type Row = { [K in keyof SourceRow]?: SourceRow[K] | undefined } & { readonly model: string }

function rowOf(model: string, record: Json): Row {
  const dropped: string[] = []
  const cost = asRecord(record.cost)
  const limit = asRecord(record.limit) ?? {}
  const modalities = modalitiesOf(record.modalities)
  const prices = cost === undefined ? [] : pricesOf(cost, record, dropped)
  return {
    model,
    name: asText(record.name),
    kind: kindOf(modalities),
    limits: limitsOf({ context: limit.context, input: limit.input, output: limit.output }, dropped),
    modalities,
    caps: capsOf(record, modalities, prices),
    prices,
    saysFree: bothZero(cost?.input, cost?.output) ? true : undefined,
    lifecycle: lifecycleOf(record),
    dropped,
  }
}

function modalitiesOf(value: unknown): SourceRow['modalities'] | undefined {
  const record = asRecord(value)
  if (record === undefined) return undefined
  const known = (list: unknown): readonly Modality[] =>
    Array.isArray(list) ? list.filter((one): one is Modality => ['text', 'image', 'audio', 'video', 'pdf'].includes(one)) : []
  return { input: known(record.input), output: known(record.output) }
}

function kindOf(modalities: SourceRow['modalities'] | undefined): EntryKind | undefined {
  const output = modalities?.output.join()
  if (output === 'image') return 'image'
  if (output === 'video') return 'video'
  if (output === 'audio') return 'speech'
  return output === 'text' && modalities?.input.join() === 'audio' ? 'transcription' : undefined
}

function capsOf(
  record: Json,
  modalities: SourceRow['modalities'] | undefined,
  prices: readonly PriceRow[],
): Partial<Record<Capability, boolean>> {
  const known = modalities !== undefined && modalities.input.length > 0
  return compact<Partial<Record<Capability, boolean>>>({
    tools: asFlag(record.tool_call),
    reasoning: asFlag(record.reasoning),
    jsonSchema: asFlag(record.structured_output),
    vision: known ? modalities.input.includes('image') : undefined,
    audioIn: known ? modalities.input.includes('audio') : undefined,
    audioOut: known ? modalities.output.includes('audio') : undefined,
    pdf: known ? modalities.input.includes('pdf') : undefined,
    promptCache: prices.some(({ perToken }) => perToken.cacheRead !== undefined) ? true : undefined,
  })
}

/** `context_over_200k` is a leftover that also carries tiers of 272k: `tiers` has the thresholds. */
function pricesOf(cost: Json, record: Json, dropped: string[]): readonly PriceRow[] {
  const rows = [rateRow(cost, {}, dropped)]
  for (const value of Array.isArray(cost.tiers) ? cost.tiers : []) {
    const rates = asRecord(value)
    const tier = asRecord(rates?.tier)
    if (rates === undefined || tier?.type !== 'context' || typeof tier.size !== 'number') continue
    rows.push(rateRow(rates, { contextOver: tier.size }, dropped))
  }
  for (const value of Object.values(asRecord(asRecord(record.experimental)?.modes) ?? {})) {
    const mode = asRecord(value)
    const rates = asRecord(mode?.cost)
    const tier = tierOf(asRecord(asRecord(mode?.provider)?.body))
    if (rates !== undefined && tier !== undefined) rows.push(rateRow(rates, { tier }, dropped))
  }
  return rows.filter(({ perToken }) => Object.keys(perToken).length > 0)
}

function tierOf(body: Json | undefined): Tier | undefined {
  if (body?.service_tier === 'priority' || body?.service_tier === 'flex') return body.service_tier
  return body?.speed === 'fast' ? 'fast' : undefined
}

function rateRow(rates: Json, when: Partial<PriceRow>, dropped: string[]): PriceRow {
  const { input, output, reasoning, cache_read, cache_write, input_audio, output_audio } = rates
  const perToken = tokenPrices(
    {
      input,
      output,
      reasoning,
      cacheRead: cache_read,
      cacheWrite5m: cache_write,
      audioIn: input_audio,
      audioOut: output_audio,
    },
    USD_PER_MILLION,
    dropped,
  )
  return completePrice({ ...when, perToken })
}

const STATUSES: Readonly<Record<string, LifecycleStatus>> = { alpha: 'preview', beta: 'preview', deprecated: 'deprecated' }

function lifecycleOf({ status, release_date, knowledge }: Json): Partial<Lifecycle> {
  return compact<Partial<Lifecycle>>({
    status: typeof status === 'string' ? (STATUSES[status] ?? 'active') : 'active',
    released: asText(release_date),
    knowledge: asText(knowledge),
  })
}
