import { isObject } from '../dialect/lenient.ts'

export type Json = Readonly<Record<string, unknown>>
/** An object on its way to be JSON. */
export type Draft = Record<string, unknown>

/** Digits beyond those that a double holds for certain. */
const LONG_NUMBER = /\d{16}/
const WHOLE_NUMBER = /^-?\d+$/

interface RawJson {
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
}
/** In V8 since Node 21; TypeScript's libraries do not know it yet. */
const raw = JSON as unknown as RawJson

/**
 * The object that JSON text says, whole numbers that a double cannot hold as raw JSON, so that `JSON.stringify` writes them as they
 * came. Undefined for what is no object.
 */
export function parseExact(text: string): Json | undefined {
  try {
    const value: unknown = LONG_NUMBER.test(text) ? JSON.parse(text, reviveExactly as typeof reviveNothing) : JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** An object that is no raw number. */
export function isRecord(value: unknown): value is Json {
  return isObject(value) && !raw.isRawJSON(value)
}

function reviveExactly(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value
  return WHOLE_NUMBER.test(context.source) && !Number.isSafeInteger(value) ? raw.rawJSON(context.source) : value
}

declare function reviveNothing(this: unknown, key: string, value: unknown): unknown
