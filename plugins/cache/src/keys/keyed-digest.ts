import { hash } from 'node:crypto'

/** A field of a key. Each kind is told from the others: the text "1" is not the number 1, and neither is undefined. */
export type KeyField = string | number | boolean | Uint8Array | undefined

const KIND = { text: 1, illFormed: 2, number: 3, true: 4, false: 5, bytes: 6, absent: 7 } as const
/** A byte for the kind and four for the length. */
const HEAD = 5

/**
 * HMAC-SHA256 over the fields in their order, each with its kind and its length before it, so that no two lists of fields meet in one key;
 * without the secret nobody can tell beforehand what a key will be. 43 characters of base64url.
 */
export function keyedDigest(secret: string | Uint8Array, fields: readonly KeyField[]): string {
  const { inner, outer } = padsOf(secret)
  let size = BLOCK
  for (const field of fields) size += HEAD + roomFor(field)
  const bytes = Buffer.allocUnsafe(size)
  bytes.set(inner)
  let at = BLOCK
  for (const field of fields) at = put(bytes, at, field)
  outer.set(hash('sha256', bytes.subarray(0, at), 'buffer'), BLOCK)
  return hash('sha256', outer, 'base64url')
}

interface Pads {
  readonly inner: Uint8Array
  /** With room behind for the inner digest. */
  readonly outer: Uint8Array
}

/** Bytes of a block of SHA-256, and of its digest. */
const BLOCK = 64
const DIGEST = 32
const pads = new Map<string | Uint8Array, Pads>()

/**
 * HMAC (RFC 2104) as the two digests that it is made of: an `Hmac` object takes five times as long to make as both of them. A process knows few
 * secrets; more than a hundred are not kept.
 */
function padsOf(secret: string | Uint8Array): Pads {
  let known = pads.get(secret)
  if (known === undefined) {
    const given = typeof secret === 'string' ? Buffer.from(secret) : secret
    const key = new Uint8Array(BLOCK)
    key.set(given.byteLength > BLOCK ? hash('sha256', given, 'buffer') : given)
    const outer = new Uint8Array(BLOCK + DIGEST)
    outer.set(key.map((byte) => byte ^ 0x5c))
    known = { inner: key.map((byte) => byte ^ 0x36), outer }
    if (pads.size >= 100) pads.clear()
    pads.set(secret, known)
  }
  return known
}

function roomFor(field: KeyField): number {
  if (typeof field === 'string') return field.length * 3
  if (typeof field === 'number') return 8
  return field instanceof Uint8Array ? field.byteLength : 0
}

function put(bytes: Buffer, at: number, field: KeyField): number {
  const from = at + HEAD
  switch (typeof field) {
    case 'string': {
      // UTF-8 has no form for half a surrogate pair: all of them would become the same character.
      if (!field.isWellFormed()) return head(bytes, at, KIND.illFormed, bytes.write(field, from, 'utf16le'))
      return head(bytes, at, KIND.text, bytes.write(field, from, 'utf8'))
    }
    case 'number':
      bytes.writeDoubleLE(field, from)
      return head(bytes, at, KIND.number, 8)
    case 'boolean':
      return head(bytes, at, field ? KIND.true : KIND.false, 0)
    case 'undefined':
      return head(bytes, at, KIND.absent, 0)
    default:
      bytes.set(field, from)
      return head(bytes, at, KIND.bytes, field.byteLength)
  }
}

function head(bytes: Buffer, at: number, kind: number, length: number): number {
  bytes[at] = kind
  bytes.writeUInt32LE(length, at + 1)
  return at + HEAD + length
}
