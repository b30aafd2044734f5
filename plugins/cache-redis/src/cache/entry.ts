import type { LogId } from '../log/ids.ts'

/** An entry as it lies in Redis. */
export interface StoredEntry {
  readonly genesis: string
  /** Where the log was when it was made. */
  readonly position: LogId
  readonly expiresAt: number | undefined
  readonly tags: readonly string[]
  /** A view into what was read. */
  readonly value: Uint8Array
}

/** Of the layout: a byte of this value, four of the head's length, the head as JSON, the value. */
const LAYOUT = 1
const BEFORE_HEAD = 5

/** Writes an entry; what it is given is copied. */
export function encodeEntry({ genesis, position, expiresAt, tags, value }: StoredEntry): Buffer {
  const head = Buffer.from(JSON.stringify([genesis, position, expiresAt ?? null, tags]))
  const all = Buffer.allocUnsafe(BEFORE_HEAD + head.length + value.byteLength)
  all.writeUInt8(LAYOUT, 0)
  all.writeUInt32BE(head.length, 1)
  head.copy(all, BEFORE_HEAD)
  all.set(value, BEFORE_HEAD + head.length)
  return all
}

/** Reads an entry; undefined where it is none, or of a layout that is not known: whoever wrote it knows better. */
export function decodeEntry(all: Buffer): StoredEntry | undefined {
  if (all.length < BEFORE_HEAD || all[0] !== LAYOUT) return undefined
  const end = BEFORE_HEAD + all.readUInt32BE(1)
  if (end > all.length) return undefined
  let head: unknown
  try {
    head = JSON.parse(all.toString('utf8', BEFORE_HEAD, end))
  } catch {
    return undefined
  }
  if (!Array.isArray(head)) return undefined
  const [genesis, position, expiresAt, tags] = head as unknown[]
  if (typeof genesis !== 'string' || typeof position !== 'string' || !Array.isArray(tags)) return undefined
  if (expiresAt !== null && typeof expiresAt !== 'number') return undefined
  return { genesis, position, expiresAt: expiresAt ?? undefined, tags: tags as string[], value: all.subarray(end) }
}
