import type { Capability } from '../entry.ts'
import { CAPABILITIES } from '../entry.ts'
import { makerOf } from '../identity/model-names.ts'
import type { Work } from '../slices.ts'
import type { StoredEntry } from '../stored-entry.ts'

type Field = 'context' | 'output' | 'modalities' | Capability

/**
 * Fills what is unknown of an entry from entries of the same base model at other providers: limits, modalities and flags, never prices,
 * never lifecycle. The maker's own word counts first, then the value that most share, then the smallest; what was filled is listed in
 * `provenance.inherited`, since resellers do cut contexts. Pauses behind each entry.
 */
export function* inheriting(entries: readonly StoredEntry[]): Work<readonly StoredEntry[]> {
  const groups = Map.groupBy(entries, baseOf)
  yield 'rest'
  const filled: StoredEntry[] = []
  for (const entry of entries) {
    filled.push(filledFrom(groups.get(baseOf(entry)) ?? [], entry))
    yield
  }
  return filled
}

function filledFrom(group: readonly StoredEntry[], entry: StoredEntry): StoredEntry {
  if (group.length < 2) return entry
  const maker = makerOf(baseOf(entry))
  const others = group.filter((other) => other !== entry)
  const inherited: Field[] = []
  const take = <T>(field: Field, known: T | undefined, read: (other: StoredEntry) => T | undefined): T | undefined => {
    if (known !== undefined) return known
    const found = bestOf(others, maker, read)
    if (found !== undefined) inherited.push(field)
    return found
  }
  const context = take('context', entry.limits?.context, (other) => other.limits?.context)
  const output = take('output', entry.limits?.output, (other) => sane(other.limits?.output, context))
  const modalities = take('modalities', entry.modalities, (other) => other.modalities)
  const caps: Partial<Record<Capability, boolean>> = {}
  for (const name of CAPABILITIES) {
    const value = take(name, entry.caps?.[name], (other) => other.caps?.[name])
    if (value !== undefined) caps[name] = value
  }
  if (inherited.length === 0) return entry
  const limits = {
    ...entry.limits,
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
  }
  const provenance = { ...entry.provenance, inherited: [...(entry.provenance?.inherited ?? []), ...inherited] }
  return { ...entry, limits, ...(modalities === undefined ? {} : { modalities }), caps, provenance }
}

/** Key of the weights: the stored one, else the name itself. */
function baseOf({ baseModel, model }: StoredEntry): string {
  return baseModel ?? model.toLowerCase()
}

function sane(output: number | undefined, context: number | undefined): number | undefined {
  return output !== undefined && context !== undefined && output > context ? undefined : output
}

function bestOf<T>(
  others: readonly StoredEntry[],
  maker: string | undefined,
  read: (other: StoredEntry) => T | undefined,
): T | undefined {
  const counts = new Map<string, { readonly value: T; count: number }>()
  for (const other of others) {
    const value = read(other)
    if (value === undefined) continue
    if (other.provider === maker) return value
    const key = JSON.stringify(value)
    const seen = counts.get(key)
    if (seen === undefined) counts.set(key, { value, count: 1 })
    else seen.count++
  }
  let best: { readonly value: T; readonly count: number } | undefined
  for (const one of counts.values()) {
    if (best === undefined || one.count > best.count || (one.count === best.count && isSmaller(one.value, best.value)))
      best = one
  }
  return best?.value
}

function isSmaller(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  if (typeof a === 'boolean' && typeof b === 'boolean') return !a && b
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)]
  return left.length === right.length ? left < right : left.length < right.length
}
