import { stdSerializers } from 'pino'

/** Ends of field names whose text never reaches a log in clear: of headers, options and JSON alike. */
const SECRET_NAME = /(?:authorization|cookie|password|passphrase|secret|token|api[-_]?key|virtual[-_]?key)$/i
const REDACTED = '[redacted]'
const DEEPEST = 8

/** Whether texts under this name never reach a log in clear. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/**
 * What may be logged of a value: text and lists under a secret's name are `[redacted]`, at any depth, also inside errors.
 * Copies only what it changes. Objects below the eighth level are left out unseen.
 */
export function redact(value: unknown): unknown {
  return inner(value, 0)
}

function inner(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return '[too deep]'
  if (value instanceof Error) return fields(stdSerializers.err(value), depth)
  if (Array.isArray(value)) return items(value, depth)
  // What says itself how it is shown, such as a Secret or a Date, has no fields for us.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function' || ArrayBuffer.isView(value)) return value
  return fields(value, depth)
}

function items(list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  list.forEach((item, index) => {
    const shown = inner(item, depth + 1)
    if (shown === item) return
    copy ??= [...list]
    copy[index] = shown
  })
  return copy ?? list
}

function fields(object: object, depth: number): object {
  const given = object as Readonly<Record<string, unknown>>
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(given)) {
    const value = given[name]
    if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) continue
    const shown = isSecretName(name) ? REDACTED : inner(value, depth + 1)
    if (shown === value) continue
    copy ??= { ...given }
    copy[name] = shown
  }
  return copy ?? object
}
