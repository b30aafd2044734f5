import { createHash } from 'node:crypto'
import type { Entry } from './entry.ts'

/** Entries outlive the indexes they stand in: one that did not change is not hashed again. */
const known = new WeakMap<Entry, string>()

/** Version of a set of entries: 16 hex digits of a SHA-256 over their content, whatever the order of entries and of their members. */
export function digestOf(entries: readonly Entry[]): string {
  const hash = createHash('sha256')
  for (const line of entries.map(entryDigest).sort()) hash.update(line)
  return hash.digest('hex').slice(0, 16)
}

/** SHA-256 of one entry's content, in base64. */
export function entryDigest(entry: Entry): string {
  let digest = known.get(entry)
  if (digest === undefined) {
    digest = createHash('sha256').update(canonicalJson(entry)).digest('base64')
    known.set(entry, digest)
  }
  return digest
}

/** JSON with the members of every object in order of their names; what is undefined is left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join()}}`
}
