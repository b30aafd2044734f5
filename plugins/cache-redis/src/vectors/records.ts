import type { StoredVector } from '@switchyard/vector-index'

/** id, expiry, numbers, payload, as bytes: length of the id, of the vector, of the payload plus one; expiry; then these three. */
const HEAD_BYTES = 4 + 4 + 4 + 8

/** Numbers as their bytes, little-endian as on nearly every machine that Node runs on: nodes of one fleet must agree in it. Not a copy. */
export function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
}

/** An item, as it is stored and told of. */
export function encodeItem({ id, vector, expiresAt = Number.POSITIVE_INFINITY, payload }: StoredVector): Buffer {
  const name = Buffer.from(id)
  const bytes = Buffer.alloc(HEAD_BYTES + name.length + vector.length * 4 + (payload?.length ?? 0))
  bytes.writeUInt32LE(name.length, 0)
  bytes.writeUInt32LE(vector.length, 4)
  bytes.writeUInt32LE(payload === undefined ? 0 : payload.length + 1, 8)
  bytes.writeDoubleLE(expiresAt, 12)
  name.copy(bytes, HEAD_BYTES)
  const from = HEAD_BYTES + name.length
  bytes.set(bytesOf(vector), from)
  if (payload !== undefined) bytes.set(payload, from + vector.byteLength)
  return bytes
}

/** Reads an item; undefined where it is none of ours. */
export function decodeItem(bytes: Buffer): StoredVector | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const [idBytes, numbers, payloadBytes] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)]
  const from = HEAD_BYTES + idBytes
  const end = from + numbers * 4
  if (bytes.length !== end + Math.max(0, payloadBytes - 1)) return undefined
  // A copy, as numbers need an address that four divides.
  const vector = new Float32Array(bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + end))
  const expiresAt = bytes.readDoubleLE(12)
  return {
    id: bytes.toString('utf8', HEAD_BYTES, from),
    vector,
    ...(expiresAt === Number.POSITIVE_INFINITY ? {} : { expiresAt }),
    ...(payloadBytes === 0 ? {} : { payload: bytes.subarray(end) }),
  }
}

/** Digits of a version: microseconds of the server's clock. */
export const VERSION_DIGITS = 16

/** What the hash of a partition has for an id: the version, then the item. */
export function decodeStored(bytes: Buffer): { readonly version: number; readonly item: StoredVector } | undefined {
  const version = Number(bytes.toString('latin1', 0, VERSION_DIGITS))
  const item = decodeItem(bytes.subarray(VERSION_DIGITS))
  return item === undefined || !Number.isSafeInteger(version) ? undefined : { version, item }
}

/** Several pieces as one, each after its length. */
export function encodeList(version: number, pieces: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(String(version).padStart(VERSION_DIGITS, '0'), 'latin1')]
  for (const piece of pieces) {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(piece.length)
    parts.push(length, piece)
  }
  return Buffer.concat(parts)
}

/** The pieces of a list; undefined where it is none of ours. */
export function decodeList(bytes: Buffer): { readonly version: number; readonly pieces: readonly Buffer[] } | undefined {
  const version = Number(bytes.toString('latin1', 0, VERSION_DIGITS))
  const pieces: Buffer[] = []
  let at = VERSION_DIGITS
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at)
    if (end > bytes.length) return undefined
    pieces.push(bytes.subarray(at + 4, end))
    at = end
  }
  return at === bytes.length && Number.isSafeInteger(version) ? { version, pieces } : undefined
}
