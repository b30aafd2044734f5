import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What a key says of itself before anything is looked up. */
export interface KeyText {
  readonly class: 'virtual' | 'admin'
  readonly id: string
}

/** Every key that this plugin makes begins so. */
export const KEY_PREFIX = 'sk-sy-'
const ADMIN_PREFIX = 'sk-sy-admin-'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE = 62n
/** 71 bits: public, and never guessed twice by chance. */
const ID_LENGTH = 12
/** 32 bytes in base 62. */
const SECRET_LENGTH = 43
/** 32 bits in base 62. */
const SUM_LENGTH = 6
const TAIL_LENGTH = ID_LENGTH + 1 + SECRET_LENGTH + SUM_LENGTH
const BASE62 = /^[0-9A-Za-z]+$/

/** A new public id. */
export function newKeyId(): string {
  return base62(randomBytes(9), ID_LENGTH)
}

/**
 * A new key for an id: `sk-sy-ID-SECRET` for a virtual, `sk-sy-admin-ID-SECRET` for an admin key. The secret is 32 random bytes, and six
 * digits of CRC-32 over all that stands before them.
 */
export function newKeyText(kind: KeyText['class'], id: string): string {
  const head = `${kind === 'admin' ? ADMIN_PREFIX : KEY_PREFIX}${id}-${base62(randomBytes(32), SECRET_LENGTH)}`
  return head + checksum(head)
}

/** What a text says of itself; undefined where it is none of our keys, or mistyped. */
export function readKeyText(text: string): KeyText | undefined {
  const admin = text.startsWith(ADMIN_PREFIX)
  const from = admin ? ADMIN_PREFIX.length : KEY_PREFIX.length
  if (text.length !== from + TAIL_LENGTH || !text.startsWith(KEY_PREFIX) || text[from + ID_LENGTH] !== '-') return undefined
  const id = text.slice(from, from + ID_LENGTH)
  if (!BASE62.test(id) || !BASE62.test(text.slice(from + ID_LENGTH + 1))) return undefined
  const end = text.length - SUM_LENGTH
  return text.slice(end) === checksum(text.slice(0, end)) ? { class: admin ? 'admin' : 'virtual', id } : undefined
}

function checksum(head: string): string {
  return digits(BigInt(crc32(head)), SUM_LENGTH)
}

function base62(bytes: Buffer, length: number): string {
  return digits(BigInt(`0x${bytes.toString('hex')}`), length)
}

/** The lowest digits; of an id, whose bytes hold a little more than its digits, the rest is left out. */
function digits(value: bigint, length: number): string {
  let rest = value
  let text = ''
  while (text.length < length) {
    text = DIGITS[Number(rest % BASE)] + text
    rest /= BASE
  }
  return text
}
