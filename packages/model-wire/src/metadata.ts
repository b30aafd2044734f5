import type { ModelRequest } from '@switchyard/contract'

type Json = Readonly<Record<string, unknown>>

/** Header by which SDKs of gateways send metadata where a dialect's body has no place for it. */
const HEADER = 'x-portkey-metadata'
/** Longer headers are not read: metadata is a handful of short tags. */
const LONGEST_HEADER = 8_192
const NONE: Json = Object.freeze({})

/**
 * What a client says about its request: the body's `metadata`, else the JSON of the header `x-portkey-metadata`. Empty where there is
 * neither, or no object. Values are as they were sent: check their types.
 */
export function metadataOf({ body, headers }: Pick<ModelRequest, 'body' | 'headers'>): Json {
  const { metadata } = body
  if (isObject(metadata)) return metadata
  const text = headers?.[HEADER]
  return text === undefined || text.length > LONGEST_HEADER ? NONE : parsed(text)
}

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : NONE
  } catch {
    return NONE
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
