/** What a part of a request that is no text may take in tokens: `tokens` as a rule, `most` by the vendor's limit. */
export interface MediaCost {
  readonly tokens: number
  readonly most: number
}

export interface MediaPart {
  readonly kind: 'image' | 'audio' | 'file'
  /** OpenAI's `detail` of an image. */
  readonly detail?: unknown
  /** Length of the base64 text that it stands in; undefined where it is given by reference. */
  readonly base64Length?: number
}

/**
 * Images by the vendors' formulas, for a size that the request does not tell: as a rule a square photograph, at most the largest that the
 * vendor does not scale down. openai: 85 and 170 for each of 4 tiles; 2,500 patches of 1.2, and 10,000 for `original`
 * (developers.openai.com, Images and vision). claude: 1,568 tokens, 4,784 in high resolution (platform.claude.com, Vision). gemini: 1,120
 * at the usual media resolution, 2,240 at the highest (ai.google.dev, Media resolution). Others: as Claude.
 */
const IMAGES: ReadonlyMap<string, MediaCost> = new Map([
  ['openai', { tokens: 765, most: 3_000 }],
  ['claude', { tokens: 1_568, most: 4_784 }],
  ['gemini', { tokens: 1_120, most: 2_240 }],
])
const OTHER_IMAGE: MediaCost = { tokens: 1_568, most: 4_784 }
const LOW_DETAIL: MediaCost = { tokens: 85, most: 85 }
const ORIGINAL_DETAIL: MediaCost = { tokens: 3_000, most: 12_000 }

/** Speech takes 10 tokens a second (OpenAI) to 32 (Gemini), and 16 kB a second as a rule, 4 kB at the best compression. */
const AUDIO = { tokensPerByte: 10 / 16_000, mostPerByte: 32 / 4_000 }
const AUDIO_BY_REFERENCE: MediaCost = { tokens: 600, most: 32 * 3_600 }

/** A page of a PDF takes 2,300 tokens as a rule and 3,000 at most, and 50 kB or as little as 10 kB; a request takes 100 pages. */
const PAGE = { tokens: 2_300, most: 3_000, bytes: 50_000, leastBytes: 10_000 }
const MOST_PAGES = 100
const FILE_BY_REFERENCE: MediaCost = { tokens: 10 * PAGE.tokens, most: MOST_PAGES * PAGE.most }

/** The tokens of an image, a recording or a document in a family: a vendor's formula, or a stated bound. */
export function mediaCost(part: MediaPart, family: string): MediaCost {
  if (part.kind === 'image') return imageCost(part.detail, family)
  const bytes = part.base64Length === undefined ? undefined : Math.ceil((part.base64Length * 3) / 4)
  return part.kind === 'audio' ? audioCost(bytes) : fileCost(bytes)
}

function imageCost(detail: unknown, family: string): MediaCost {
  const vendor = family.startsWith('claude') ? 'claude' : family
  if (vendor === 'openai' && detail === 'low') return LOW_DETAIL
  if (vendor === 'openai' && detail === 'original') return ORIGINAL_DETAIL
  return IMAGES.get(vendor) ?? OTHER_IMAGE
}

function audioCost(bytes: number | undefined): MediaCost {
  if (bytes === undefined) return AUDIO_BY_REFERENCE
  return { tokens: Math.ceil(bytes * AUDIO.tokensPerByte), most: Math.ceil(bytes * AUDIO.mostPerByte) }
}

function fileCost(bytes: number | undefined): MediaCost {
  if (bytes === undefined) return FILE_BY_REFERENCE
  const pages = Math.min(MOST_PAGES, Math.ceil(bytes / PAGE.bytes))
  const mostPages = Math.min(MOST_PAGES, Math.ceil(bytes / PAGE.leastBytes))
  return { tokens: pages * PAGE.tokens, most: mostPages * PAGE.most }
}
