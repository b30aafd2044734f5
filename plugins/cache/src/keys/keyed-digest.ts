import { createHmac } from 'node:crypto'

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
  let size = 0
  for (const field of fields) size += HEAD + roomFor(field)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const field of fields) at = put(bytes, at, field)
  return createHmac('sha256', secret).update(bytes.subarray(0, at)).digest('base64url')
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
