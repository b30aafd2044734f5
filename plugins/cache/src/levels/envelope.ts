import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'

/** What is known of a stored reply beside what it says. Times are epoch ms. */
export interface Envelope {
  readonly operation: string
  readonly createdAt: number
  /** From then on it is stale, and from `expiresAt` on gone. */
  readonly freshUntil: number
  readonly expiresAt: number
  /** How long it took to make, in ms. */
  readonly tookMs: number
  /** Who answered. */
  readonly by: string
}

const VERSION = 1
const HEAD = 5
const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

interface Header extends Envelope {
  /** Bytes of the payload before it was compressed; absent where it was not. */
  readonly rawBytes?: number
}

/** Envelope and payload as one value. The payload is compressed from `compressFrom` bytes on, where that makes it smaller by an eighth. */
export async function seal(envelope: Envelope, payload: Uint8Array, compressFrom: number): Promise<Uint8Array> {
  if (payload.byteLength < compressFrom) return joined(envelope, payload)
  const packed = await compress(payload)
  if (packed.byteLength > payload.byteLength * 0.875) return joined(envelope, payload)
  return joined({ ...envelope, rawBytes: payload.byteLength }, packed)
}

/** The parts of a value; undefined for what is none of ours, or of another version. Payloads beyond `maxBytes` are not unpacked. */
export async function unseal(
  value: Uint8Array,
  maxBytes: number,
): Promise<{ readonly envelope: Envelope; readonly payload: Uint8Array } | undefined> {
  if (value.byteLength < HEAD || value[0] !== VERSION) return undefined
  const length = new DataView(value.buffer, value.byteOffset).getUint32(1)
  if (value.byteLength < HEAD + length) return undefined
  const header = headerIn(value.subarray(HEAD, HEAD + length))
  if (header === undefined) return undefined
  const { rawBytes, ...envelope } = header
  const rest = value.subarray(HEAD + length)
  if (rawBytes === undefined) return { envelope, payload: rest }
  if (rawBytes > maxBytes) return undefined
  try {
    const payload = await decompress(rest, { maxOutputLength: rawBytes })
    return payload.byteLength === rawBytes ? { envelope, payload } : undefined
  } catch {
    return undefined
  }
}

function joined(header: Header, payload: Uint8Array): Uint8Array {
  const text = JSON.stringify(header)
  const length = Buffer.byteLength(text)
  const value = Buffer.allocUnsafe(HEAD + length + payload.byteLength)
  value[0] = VERSION
  value.writeUInt32BE(length, 1)
  value.write(text, HEAD)
  value.set(payload, HEAD + length)
  return value
}

function headerIn(bytes: Uint8Array): Header | undefined {
  let header: Partial<Record<keyof Header, unknown>>
  try {
    header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof header !== 'object' || header === null) return undefined
  const numbers = [header.createdAt, header.freshUntil, header.expiresAt, header.tookMs, header.rawBytes ?? 0]
  const isOurs =
    typeof header.operation === 'string' && typeof header.by === 'string' && numbers.every((value) => Number.isFinite(value))
  return isOurs ? (header as Header) : undefined
}
