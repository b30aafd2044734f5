import { type CallOptions, type Embedder, SwitchyardError } from '@switchyard/contract'
import { hashedEncoderId, hashedNgramsOf } from './hashed-ngrams.ts'

/** UTF-16 code units that count as one token: about what tokenizers of models make of English. */
export const UNITS_PER_TOKEN = 4

/** Sizes of the embedder, as the plugin's options have them. */
export interface HashedEmbedderOptions {
  readonly dimensions: number
  readonly maxTokens: number
}

/**
 * The embedded encoder as an `Embedder`. Encodes in the calling thread, within the call. A text of more than `maxTokens` times four
 * UTF-16 code units is `TOO_LARGE`, before any is encoded.
 */
export function hashedEmbedder({ dimensions, maxTokens }: HashedEmbedderOptions): Embedder {
  const maxUnits = maxTokens * UNITS_PER_TOKEN
  return {
    id: hashedEncoderId(dimensions),
    dimensions,
    maxTokens,
    async embed(texts, options) {
      throwIfAborted(options)
      refuseWrong(texts, maxUnits, maxTokens)
      return texts.map((text) => hashedNgramsOf(text, dimensions))
    },
  }
}

function throwIfAborted(options: CallOptions | undefined): void {
  const signal = options?.signal
  if (signal === undefined || !signal.aborted) return
  if (SwitchyardError.is(signal.reason)) throw signal.reason
  throw new SwitchyardError('ABORTED', 'embed was aborted before it began', { cause: signal.reason })
}

function refuseWrong(texts: unknown, maxUnits: number, maxTokens: number): void {
  if (!Array.isArray(texts))
    throw new SwitchyardError(
      'INVALID_REQUEST',
      `embed takes a list of texts, and got ${kindOf(texts)}; put one text in a list too`,
    )
  for (let at = 0; at < texts.length; at += 1) {
    const text: unknown = texts[at]
    if (typeof text !== 'string')
      throw new SwitchyardError('INVALID_REQUEST', `embed takes texts, and text ${at} is ${kindOf(text)}; leave it out`)
    if (text.length > maxUnits)
      throw new SwitchyardError(
        'TOO_LARGE',
        `text ${at} has ${Math.ceil(text.length / UNITS_PER_TOKEN)} tokens, four UTF-16 code units each, and ${maxTokens} may be embedded; raise maxTokens, or give a shorter text`,
      )
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
}
