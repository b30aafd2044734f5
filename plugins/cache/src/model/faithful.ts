import { isUtf8 } from 'node:buffer'
import { endOfJsonString } from '@switchyard/model-wire'

const QUOTE = 34
const COLON = 58
const MAX_DEPTH = 200

/**
 * Whether what was parsed is all that the bytes say, to whatever parser. It is not where a key stands twice in one object, of which one
 * server reads the first and another the last, where a whole number is beyond what a double holds, or where the bytes are no UTF-8.
 */
export function isFaithful(raw: Uint8Array, parsed: unknown): boolean {
  return isUtf8(raw) && membersIn(raw) === membersOf(parsed, 0)
}

/** Members of all objects in valid JSON: colons outside of strings. */
function membersIn(raw: Uint8Array): number {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  let members = 0
  let at = 0
  for (;;) {
    const open = bytes.indexOf(QUOTE, at)
    const end = open === -1 ? bytes.length : open
    for (; at < end; at++) if (bytes[at] === COLON) members++
    if (open === -1) return members
    at = endOfJsonString(bytes, open)
  }
}

/** NaN where it is nested too deep to be counted, and where a number may have been rounded. */
function membersOf(value: unknown, depth: number): number {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (!Number.isInteger(value) && Number.isFinite(value)) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_DEPTH) return Number.NaN
  let members = 0
  if (Array.isArray(value)) {
    for (const one of value as unknown[]) members += membersOf(one, depth + 1)
    return members
  }
  for (const key of Object.keys(value)) members += 1 + membersOf((value as Record<string, unknown>)[key], depth + 1)
  return members
}
