import { SwitchyardError } from '@switchyard/contract'
import { notEvents } from '../openai-error.ts'
import { parseFields } from '../sse/decoder.ts'

export type Json = Readonly<Record<string, unknown>>

/** The event's data, undefined for a comment. The usual event is one `data:` line, which needs no field parser. */
export function dataOf(text: string, plugin: string, secrets: readonly string[] | undefined): string | undefined {
  if (text.startsWith('data:') && !text.includes('\r')) {
    const end = text.indexOf('\n')
    if (text.indexOf('\n', end + 1) === end + 1) return text.slice(text.charCodeAt(5) === 32 ? 6 : 5, end)
  }
  const fields = parseFields(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  if (!fields.known && text.trim() !== '') throw notEvents(text, plugin, secrets)
  return fields.data
}

/** The object that an event's data is the JSON of. */
export function parseData(data: string, plugin: string): Json {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null) return value as Json
  } catch {
    // told below, without the text: it may hold anything
  }
  throw invalidStream(plugin, 'the upstream sent an event that is not a JSON object')
}

export function invalidStream(plugin: string, what: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `${plugin}: ${what}`, { plugin })
}

/** Bytes of a text, or of the JSON of a list; 0 for anything else. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return Array.isArray(value) && value.length > 0 ? Buffer.byteLength(JSON.stringify(value)) : 0
}
