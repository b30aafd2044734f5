import type { ModelRequest } from '@switchyard/contract'

/** What a request needs of the model that serves it. */
export interface Features {
  readonly tools: boolean
  readonly vision: boolean
  readonly audio: boolean
  readonly jsonSchema: boolean
}

type Json = Readonly<Record<string, unknown>>

const IMAGE_PARTS: ReadonlySet<unknown> = new Set(['image_url', 'input_image', 'image'])
const AUDIO_PARTS: ReadonlySet<unknown> = new Set(['input_audio', 'audio'])

/** Reads a request of any dialect: chat, messages and responses name these things alike enough. */
export function featuresOf({ body }: Pick<ModelRequest, 'body'>): Features {
  const format = (body.response_format ?? (body.text as Json | undefined)?.format) as Json | undefined
  let vision = false
  let audio = false
  for (const turn of turnsOf(body)) {
    const content = (turn as Json | null)?.content
    if (!Array.isArray(content)) continue
    for (const part of content as (Json | null)[]) {
      if (IMAGE_PARTS.has(part?.type)) vision = true
      else if (AUDIO_PARTS.has(part?.type)) audio = true
    }
  }
  return {
    tools: Array.isArray(body.tools) && body.tools.length > 0,
    vision,
    audio,
    jsonSchema: format?.type === 'json_schema',
  }
}

/** The most tokens of a reply that a request allows itself; undefined where it does not say. */
export function outputLimitOf({ body }: Pick<ModelRequest, 'body'>): number | undefined {
  const limit = body.max_completion_tokens ?? body.max_output_tokens ?? body.max_tokens
  return typeof limit === 'number' && Number.isFinite(limit) && limit >= 0 ? limit : undefined
}

function turnsOf(body: Json): readonly unknown[] {
  if (Array.isArray(body.messages)) return body.messages
  return Array.isArray(body.input) ? body.input : []
}
