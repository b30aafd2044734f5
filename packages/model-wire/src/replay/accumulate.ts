import { type Draft, isRecord, type Json } from './exact-json.ts'

/** Fields that name something: said again they are not said twice. */
const NAMES: ReadonlySet<string> = new Set(['id', 'type', 'name', 'role', 'index'])

/**
 * Adds a delta to what its predecessors made: texts are joined, lists too, or member by member where members have an `index`, objects
 * go on field by field, and all else is replaced. Null says nothing where there is something.
 */
export function accumulate(whole: Draft, delta: Json): void {
  for (const [key, value] of Object.entries(delta)) {
    const before = Object.hasOwn(whole, key) ? whole[key] : undefined
    if (value === null || value === undefined) {
      if (before === undefined) set(whole, key, null)
    } else if (before === null || before === undefined) set(whole, key, begun(value))
    else if (typeof before === 'string' && typeof value === 'string') {
      if (!NAMES.has(key)) set(whole, key, before + value)
      else if (before === '') set(whole, key, value)
    } else if (Array.isArray(before) && Array.isArray(value)) addAll(before, value)
    else if (isRecord(before) && isRecord(value)) accumulate(before as Draft, value)
    else set(whole, key, begun(value))
  }
}

function begun(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = []
    addAll(list, value)
    return list
  }
  if (!isRecord(value)) return value
  const copy: Draft = {}
  accumulate(copy, value)
  return copy
}

function addAll(list: unknown[], more: readonly unknown[]): void {
  for (const one of more) {
    const found = isRecord(one) ? memberFor(list, one) : undefined
    if (found === undefined) list.push(begun(one))
    else accumulate(found, one as Json)
  }
}

/** The member that a piece goes on with: of the same index, and of the same id where both have one. */
function memberFor(list: readonly unknown[], piece: Json): Draft | undefined {
  if (typeof piece.index !== 'number') return undefined
  const has = (value: unknown): boolean => typeof value === 'string' && value !== ''
  return list.findLast(
    (one): one is Draft =>
      isRecord(one) && one.index === piece.index && (!has(one.id) || !has(piece.id) || one.id === piece.id),
  )
}

/** A name such as `__proto__` is a name like any other. */
function set(target: Draft, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
