/** Stands where a text was taken out. */
export const HOLE: unique symbol = Symbol('hole')

/** Deeper bodies have no canonical form: they are told apart by their bytes. */
const MAX_DEPTH = 100
/** No JSON text holds this character outside of an escape, so nothing a body says looks like a hole. */
const HOLE_TEXT = '\u0000'

/**
 * A value of JSON in one form: keys sorted, numbers as JavaScript writes them (1, 1.0 and 1e0 are one, -0 is 0), texts with every lone
 * surrogate escaped, lists in their order, unknown members included. Two values have one form only if they are equal. Undefined where
 * that cannot be promised: what JSON cannot say, infinite numbers among it, and values nested too deep.
 * @param leftOut Members of the value itself, and not of those inside, that are left out.
 */
export function canonicalJson(value: unknown, leftOut?: ReadonlySet<string>): string | undefined {
  const out: string[] = []
  return write(value, 0, out, leftOut) ? out.join('') : undefined
}

function write(value: unknown, depth: number, out: string[], leftOut?: ReadonlySet<string>): boolean {
  switch (typeof value) {
    case 'string':
      out.push(JSON.stringify(value))
      return true
    case 'number':
      if (!Number.isFinite(value)) return false
      out.push(String(value))
      return true
    case 'boolean':
      out.push(value ? 'true' : 'false')
      return true
    case 'symbol':
      if (value !== HOLE) return false
      out.push(HOLE_TEXT)
      return true
    case 'object':
      break
    default:
      return false
  }
  if (value === null) {
    out.push('null')
    return true
  }
  if (depth >= MAX_DEPTH) return false
  return Array.isArray(value) ? writeList(value, depth, out) : writeObject(value as object, depth, out, leftOut)
}

function writeList(list: readonly unknown[], depth: number, out: string[]): boolean {
  out.push('[')
  for (let at = 0; at < list.length; at++) {
    if (at > 0) out.push(',')
    if (!write(list[at], depth + 1, out)) return false
  }
  out.push(']')
  return true
}

function writeObject(value: object, depth: number, out: string[], leftOut?: ReadonlySet<string>): boolean {
  const members = value as Readonly<Record<string, unknown>>
  out.push('{')
  let first = true
  for (const key of Object.keys(value).sort()) {
    // As JSON.stringify has it: what is undefined is not there.
    if (members[key] === undefined || leftOut?.has(key) === true) continue
    out.push(first ? '' : ',', JSON.stringify(key), ':')
    first = false
    if (!write(members[key], depth + 1, out)) return false
  }
  out.push('}')
  return true
}
