import type { MediaPart } from './media.ts'

type Part = Readonly<Record<string, unknown>>

/** Types of content parts that are no text, in the dialects of OpenAI and Anthropic. */
const KINDS: ReadonlyMap<unknown, MediaPart['kind']> = new Map([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['computer_screenshot', 'image'],
  ['image_generation_call', 'image'],
  ['input_audio', 'audio'],
  ['audio', 'audio'],
  ['file', 'file'],
  ['input_file', 'file'],
  ['document', 'file'],
])

/** The image, recording or document that a content part is; undefined for any other part, a document that holds plain text included. */
export function mediaPart(part: Part): MediaPart | undefined {
  const kind = KINDS.get(part.type)
  if (kind === undefined) return undefined
  const held = record(part.image_url) ?? record(part.input_audio) ?? record(part.file) ?? record(part.source) ?? part
  if (kind === 'file' && (held.type === 'text' || held.type === 'content')) return undefined
  const data = inline(held.data) ?? inline(held.file_data) ?? dataUrl(held.url) ?? dataUrl(part.image_url)
  const detail = held.detail ?? part.detail
  return { kind, ...(detail !== undefined && { detail }), ...(data !== undefined && { base64Length: data }) }
}

function inline(value: unknown): number | undefined {
  return typeof value === 'string' ? value.length : undefined
}

function dataUrl(value: unknown): number | undefined {
  return typeof value === 'string' && value.startsWith('data:') ? value.length : undefined
}

function record(value: unknown): Part | undefined {
  return typeof value === 'object' && value !== null ? (value as Part) : undefined
}
