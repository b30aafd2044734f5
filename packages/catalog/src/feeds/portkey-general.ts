import type { Capability, EntryKind } from '../entry.ts'
import { canonicalProvider } from '../identity/providers.ts'
import type { SourceRow } from '../merge/source-row.ts'
import { collector, type Import, parseFeed } from './feed.ts'
import { asRecord, compact, limitsOf, refuse } from './row-values.ts'

type Json = Readonly<Record<string, unknown>>

const KINDS: Readonly<Record<string, EntryKind>> = {
  chat: 'chat',
  text: 'completion',
  responses: 'responses',
  embedding: 'embedding',
  image: 'image',
  video: 'video',
  rerank: 'rerank',
  moderation: 'moderation',
  ocr: 'ocr',
}

const FEATURES: Readonly<Record<string, Capability>> = {
  tools: 'tools',
  image: 'vision',
  pdf: 'pdf',
  audio: 'audioIn',
  cache_control: 'promptCache',
}

const MODEL_KEYS: ReadonlySet<string> = new Set(
  'params removeParams messages type disablePlayground isDefault name description'.split(' '),
)
const NOT_MODELS: ReadonlySet<string> = new Set(['name', 'description', 'default'])

/**
 * Reads one file of Portkey's `general/`: kinds and features; a model inherits what `default` says. A feature that is not listed is
 * unknown, not absent. `open-ai`, `fireworks` and `nomic-ai` are second spellings of their providers.
 * @param slug The file's name without `.json`.
 * @param options.asOf ISO date on which the bytes were fetched.
 * @throws SwitchyardError `UPSTREAM_INVALID` for what is not such a file.
 */
export function importPortkeyGeneral(slug: string, bytes: Uint8Array, options: { readonly asOf: string }): Import {
  const provider = canonicalProvider(slug)
  const file = parseFeed(bytes, `portkey general/${slug}`)
  const base = asRecord(file.default) ?? {}
  const found = collector()
  for (const [model, value] of Object.entries(file)) {
    if (NOT_MODELS.has(model)) continue
    found.read(`${provider}/${model}`, () => {
      const record = asRecord(value) ?? refuse('not an object')
      found.keys(record, MODEL_KEYS)
      return [rowOf(provider, model, record, base, options.asOf)]
    })
  }
  return found.result()
}

function rowOf(provider: string, model: string, record: Json, base: Json, asOf: string): SourceRow {
  const type = asRecord(record.type) ?? asRecord(base.type) ?? {}
  const supported = listOf(type.supported)
  const unsupported = new Set(listOf(type.unsupported))
  const caps: Partial<Record<Capability, boolean>> = {}
  for (const [feature, name] of Object.entries(FEATURES)) {
    if (unsupported.has(feature)) caps[name] = false
    else if (supported.includes(feature)) caps[name] = true
  }
  const kind = typeof type.primary === 'string' ? kindOf(type.primary, model) : undefined
  return compact<SourceRow>({
    source: 'portkey-general',
    asOf,
    provider,
    model,
    kind,
    caps,
    limits: limitsOf({ output: outputLimit(record) }),
  })
}

/** The feed calls speech and transcription alike. */
function kindOf(primary: string, model: string): EntryKind | undefined {
  if (primary === 'audio')
    return /tts|speech/.test(model) ? 'speech' : /whisper|transcri/.test(model) ? 'transcription' : undefined
  return KINDS[primary]
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function outputLimit({ params }: Json): unknown {
  if (!Array.isArray(params)) return undefined
  const limits = params.map(asRecord).filter((param) => param?.key === 'max_tokens' || param?.key === 'max_completion_tokens')
  return limits[0]?.maxValue
}
