import type { Capability, EntryKind, Modality, PriceRow } from '../entry.ts'
import { isPseudoProvider } from '../identity/providers.ts'
import type { SourceRow } from '../merge/source-row.ts'
import { finish, type Work } from '../slices.ts'
import { completePrice } from '../stored-entry.ts'
import { collector, type Import, parseFeed } from './feed.ts'
import { type LiteLlmName, nameOf } from './litellm-names.ts'
import { isPriceKey, litellmPrices, pricePerImage } from './litellm-prices.ts'
import { asFlag, asRecord, asText, bothZero, compact, limitsOf, refuse } from './row-values.ts'

type Json = Readonly<Record<string, unknown>>

const KINDS: Readonly<Record<string, EntryKind>> = {
  chat: 'chat',
  responses: 'responses',
  completion: 'completion',
  embedding: 'embedding',
  image_generation: 'image',
  image_edit: 'image_edit',
  audio_transcription: 'transcription',
  audio_speech: 'speech',
  rerank: 'rerank',
  moderation: 'moderation',
  video_generation: 'video',
  realtime: 'realtime',
  ocr: 'ocr',
  search: 'search',
}

const FLAGS: Readonly<Record<string, Capability>> = {
  supports_function_calling: 'tools',
  supports_parallel_function_calling: 'parallelTools',
  supports_vision: 'vision',
  supports_audio_input: 'audioIn',
  supports_audio_output: 'audioOut',
  supports_pdf_input: 'pdf',
  supports_response_schema: 'jsonSchema',
  supports_native_streaming: 'streaming',
  supports_reasoning: 'reasoning',
  supports_prompt_caching: 'promptCache',
  supports_web_search: 'webSearch',
}

const OTHER_KEYS: ReadonlySet<string> = new Set(
  (
    'litellm_provider mode max_input_tokens max_output_tokens max_tokens deprecation_date source supported_endpoints supported_modalities ' +
    'supported_output_modalities supported_regions metadata rpm tpm output_vector_size prompt_cache_min_tokens provider_specific_entry'
  ).split(' '),
)

/** Parts of one model that stand under several keys: its sizes and regions. */
interface Draft {
  row: SourceRow | undefined
  readonly prices: PriceRow[]
  readonly images: Record<string, number>
}

/**
 * Reads LiteLLM's price file: one flat object, USD a token. Sizes and regions of one model, which are keys of their own there, become
 * one row.
 * @param options.asOf ISO date on which the bytes were fetched.
 * @throws SwitchyardError `UPSTREAM_INVALID` for what is not such a file.
 */
export function importLiteLlm(bytes: Uint8Array, options: { readonly asOf: string }): Import {
  return finish(importingLiteLlm(bytes, options))
}

/** `importLiteLlm` as work that pauses behind each key. */
export function* importingLiteLlm(bytes: Uint8Array, options: { readonly asOf: string }): Work<Import> {
  yield 'rest'
  const parsed = parseFeed(bytes, 'LiteLLM')
  yield 'rest'
  const found = collector()
  const drafts = new Map<string, Draft>()
  for (const [key, value] of Object.entries(parsed)) {
    const record = asRecord(value)
    const provider = asText(record?.litellm_provider)
    // The sample's provider is a sentence, and the fallback rules have none: neither is a model.
    if (record === undefined || provider === undefined || key === 'sample_spec' || isPseudoProvider(provider)) continue
    const name = nameOf(key, provider)
    if (name === undefined) continue
    found.read(key, () => {
      for (const field of Object.keys(record)) {
        if (!isKnown(field)) found.keys({ [field]: 0 }, OTHER_KEYS)
      }
      if (record.tiered_pricing !== undefined) found.check(key, 'tiered_pricing')
      addTo(draftOf(drafts, name), name, record, options.asOf)
      return []
    })
    yield
  }
  const rows: SourceRow[] = []
  for (const draft of drafts.values()) {
    rows.push(...finished(draft))
    yield
  }
  return { ...found.result(), rows }
}

function isKnown(field: string): boolean {
  return OTHER_KEYS.has(field) || field.startsWith('supports_') || isPriceKey(field)
}

function draftOf(drafts: Map<string, Draft>, { provider, model }: LiteLlmName): Draft {
  const key = `${provider}/${model}`
  const draft = drafts.get(key) ?? { row: undefined, prices: [], images: {} }
  drafts.set(key, draft)
  return draft
}

function addTo(draft: Draft, name: LiteLlmName, record: Json, asOf: string): void {
  if (name.size !== undefined) {
    const price = pricePerImage(record, name.size)
    if (price !== undefined) draft.images[name.size.key] = price
    draft.row ??= rowOf(name, record, asOf)
    return
  }
  const prices = litellmPrices(name.provider, record)
  if (name.region === undefined) {
    draft.row = rowOf(name, record, asOf)
    draft.prices.unshift(...prices)
  } else {
    draft.row ??= rowOf(name, record, asOf)
    draft.prices.push(
      ...prices.filter(({ region }) => region === '*').map((row) => ({ ...row, region: name.region as string })),
    )
  }
}

function finished({ row, prices, images }: Draft): readonly SourceRow[] {
  if (row === undefined) return []
  if (Object.keys(images).length === 0) return [{ ...row, prices }]
  const base = prices[0] ?? completePrice({})
  const withImages = { ...base, perUnit: { ...base.perUnit, image: { ...base.perUnit.image, ...images } } }
  return [{ ...row, prices: [withImages, ...prices.slice(1)] }]
}

function rowOf({ provider, model }: LiteLlmName, record: Json, asOf: string): SourceRow {
  const mode = asText(record.mode)
  const caps: Partial<Record<Capability, boolean>> = {}
  for (const [field, name] of Object.entries(FLAGS)) {
    const value = asFlag(record[field])
    if (value !== undefined) caps[name] = value
  }
  const { max_input_tokens: context, max_output_tokens: output } = record
  return compact<SourceRow>({
    source: 'litellm',
    asOf,
    provider,
    model,
    kind: mode === undefined ? undefined : KINDS[mode],
    limits: limitsOf({ context, output }),
    modalities: modalitiesOf(record),
    caps,
    saysFree: bothZero(record.input_cost_per_token, record.output_cost_per_token) ? true : undefined,
    lifecycle: lifecycleOf(record.deprecation_date),
  })
}

function modalitiesOf(record: Json): SourceRow['modalities'] | undefined {
  const { supported_modalities: input, supported_output_modalities: output } = record
  if (!Array.isArray(input) || !Array.isArray(output)) return undefined
  const known = (list: readonly unknown[]): readonly Modality[] =>
    list.filter((one): one is Modality => ['text', 'image', 'audio', 'video', 'pdf'].includes(one as string))
  return { input: known(input), output: known(output) }
}

function lifecycleOf(value: unknown): SourceRow['lifecycle'] | undefined {
  const date = asText(value)
  if (date === undefined) return undefined
  return /^\d{4}-\d{2}-\d{2}$/.test(date)
    ? { deprecatesOn: date }
    : refuse(`deprecation_date ${JSON.stringify(date)} is no date`)
}
