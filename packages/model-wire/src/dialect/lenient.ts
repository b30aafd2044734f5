import { SwitchyardError } from '@switchyard/contract'

/** `UPSTREAM_INVALID` for a reply that cannot be translated. */
export function upstreamInvalid(what: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `the target's reply cannot be translated: ${what}`, { cause })
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text, or '' for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The object that an event's data is the JSON of. Throws `UPSTREAM_INVALID`, without the text: it may hold anything. */
export function parsedEvent(data: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(data)
    if (isObject(value)) return value
  } catch {
    // told below
  }
  throw upstreamInvalid('an event is not a JSON object')
}
