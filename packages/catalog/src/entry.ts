import type { ModelEndpoint } from '@switchyard/contract'

/** What a model does. Those without an endpoint of the contract yet (`video`, `realtime`, `ocr`, `search`, `image_edit`) are listed and priced only. */
export type EntryKind =
  | 'chat'
  | 'responses'
  | 'completion'
  | 'embedding'
  | 'image'
  | 'image_edit'
  | 'transcription'
  | 'speech'
  | 'rerank'
  | 'moderation'
  | 'video'
  | 'realtime'
  | 'ocr'
  | 'search'

export type Modality = 'text' | 'image' | 'audio' | 'video' | 'pdf'

/** Names of what a model can do; `vision` is image input, `jsonMode` any JSON, `jsonSchema` JSON held to a schema. */
export type Capability =
  | 'tools'
  | 'parallelTools'
  | 'vision'
  | 'audioIn'
  | 'audioOut'
  | 'pdf'
  | 'jsonMode'
  | 'jsonSchema'
  | 'streaming'
  | 'reasoning'
  | 'promptCache'
  | 'webSearch'

/** True, false, or null where no source says. */
export type Capabilities = Readonly<Record<Capability, boolean | null>>

/** A price class, as the vendor's `service_tier` or API chooses it. */
export type Tier = 'standard' | 'batch' | 'flex' | 'priority' | 'fast'

/** Integer pico-USD per token (1 USD per million tokens = 1,000,000), each > 0. Absent = unknown. */
export interface TokenPrices {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite5m?: number
  readonly cacheWrite1h?: number
  readonly reasoning?: number
  readonly audioIn?: number
  readonly audioOut?: number
  readonly imageIn?: number
  readonly imageOut?: number
}

/** Integer pico-USD per unit, each > 0. `request` is charged once a call; `image` by quality and size, such as `hd/1024x1024`. */
export interface UnitPrices {
  readonly request?: number
  readonly image?: Readonly<Record<string, number>>
  readonly second?: number
  readonly minute?: number
  readonly page?: number
  readonly character?: number
  readonly search?: number
  readonly webSearch?: number
  readonly fileSearch?: number
}

/** Hours of the week, UTC, in which a row holds: weekdays 0 (Sunday) to 6; minutes of the day, the end exclusive. */
export interface PriceHours {
  readonly weekdays: readonly number[]
  readonly startMinute: number
  readonly endMinute: number
}

/** What a model costs under one set of conditions. The whole request moves to the row that applies; rows are not marginal. */
export interface PriceRow {
  readonly tier: Tier
  /** The vendor's region name, or `*`. */
  readonly region: string
  /** Holds for requests with more input tokens than this. */
  readonly contextOver?: number
  /** ISO dates or instants, the end exclusive. */
  readonly from?: string
  readonly until?: string
  readonly hours?: PriceHours
  readonly perToken: TokenPrices
  readonly perUnit: UnitPrices
}

/** How a model can be reached: by Portkey's own connector, as an OpenAI-compatible host, or by no way that is known. */
export type Route =
  | { readonly via: 'portkey'; readonly slug: string }
  | { readonly via: 'openai-compatible'; readonly baseUrl: string; readonly envKeys: readonly string[] }
  | { readonly via: 'unknown' }

/** Tokens, each > 0. Absent = unknown. */
export interface Limits {
  readonly context?: number
  readonly input?: number
  readonly output?: number
}

export type LifecycleStatus = 'preview' | 'active' | 'deprecated' | 'retired' | 'unknown'

/** ISO dates. Past `deprecatesOn` a model counts as retired, see `statusAt`. */
export interface Lifecycle {
  readonly status: LifecycleStatus
  readonly released?: string
  readonly deprecatesOn?: string
  readonly knowledge?: string
}

/** `agreed`: two independent sources gave this price. `single`: one spoke. `disputed`: others differ. `none`: nobody priced it. */
export type Confidence = 'agreed' | 'single' | 'disputed' | 'none'

/** A value that lost against the one in the entry. Prices in pico-USD. */
export interface Conflict {
  readonly field: string
  readonly source: string
  readonly value: number | string
}

export interface Provenance {
  /** ISO date of the newest source. */
  readonly asOf: string
  /** Names of the sources, in order. */
  readonly sources: readonly string[]
  readonly confidence: Confidence
  readonly conflicts: readonly Conflict[]
  /** Fields filled from another provider's entry of the same base model. */
  readonly inherited: readonly string[]
}

/** All that is known of one model at one provider. Immutable. */
export interface Entry {
  /** `provider/model`, the contract's `ModelRequest.model`. */
  readonly id: string
  /** Portkey's slug where it has one, else the models.dev id. */
  readonly provider: string
  /** As the vendor spells it. */
  readonly model: string
  readonly name?: string
  /** Other spellings of `model` at this provider. */
  readonly aliases: readonly string[]
  /** What it points to changes (`*-latest`): its price is never shared with a dated id. */
  readonly moving: boolean
  /** Key under which the same weights are found at other providers. */
  readonly baseModel: string
  readonly kind: EntryKind
  /** Empty where the contract has none for its kind yet. */
  readonly endpoints: readonly ModelEndpoint[]
  readonly route: Route
  readonly limits: Limits
  readonly modalities: { readonly input: readonly Modality[]; readonly output: readonly Modality[] }
  readonly caps: Capabilities
  /** Empty = unpriced, unless `free`. */
  readonly prices: readonly PriceRow[]
  readonly free: boolean
  readonly lifecycle: Lifecycle
  readonly provenance: Provenance
}

/** Every capability, in the order of the docs. */
export const CAPABILITIES: readonly Capability[] = [
  'tools',
  'parallelTools',
  'vision',
  'audioIn',
  'audioOut',
  'pdf',
  'jsonMode',
  'jsonSchema',
  'streaming',
  'reasoning',
  'promptCache',
  'webSearch',
]

/** Every tier. */
export const TIERS: readonly Tier[] = ['standard', 'batch', 'flex', 'priority', 'fast']

/** Lifecycle status at an instant (epoch ms): `retired` once `deprecatesOn` is past, whatever the sources called it. */
export function statusAt(entry: Entry, at: number): LifecycleStatus {
  const { status, deprecatesOn } = entry.lifecycle
  return deprecatesOn !== undefined && Date.parse(deprecatesOn) <= at ? 'retired' : status
}
