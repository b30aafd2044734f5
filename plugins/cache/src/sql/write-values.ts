/** Kinds of values, by their first byte. A number never changes its meaning: entries of older versions may be in the store. */
export const VALUE = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  integer: 4,
  double: 5,
  bigint: 6,
  negativeBigint: 7,
  text: 8,
  illFormedText: 9,
  bytes: 10,
  buffer: 11,
  date: 12,
  list: 13,
  object: 14,
  bareObject: 15,
} as const

/** Lists and objects within one another at most. */
export const MOST_DEPTH = 64

/** Thrown for what has no exact form in bytes, or a form that is too large. */
export class Untold extends Error {
  readonly why: 'content' | 'too-large'
  constructor(why: 'content' | 'too-large') {
    super(why)
    this.why = why
  }
}

/** Bytes that grow as values are written to them. */
export class ValueWriter {
  #bytes = Buffer.allocUnsafe(1_024)
  #at = 0
  readonly #most: number

  /** More than `most` bytes throw {@link Untold}. */
  constructor(most: number) {
    this.#most = most
  }

  /** What was written: a view. */
  done(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#at)
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, least first. */
  count(value: number): void {
    this.#room(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#at++] = rest
  }

  /** Text with its kind before it. */
  text(value: string): void {
    // UTF-8 has no form for half a surrogate pair.
    const isWell = value.isWellFormed()
    this.byte(isWell ? VALUE.text : VALUE.illFormedText)
    const length = isWell ? Buffer.byteLength(value, 'utf8') : value.length * 2
    this.count(length)
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at, isWell ? 'utf8' : 'utf16le')
  }

  value(value: unknown, depth = 0): void {
    if (typeof value === 'string') this.text(value)
    else if (typeof value === 'number') this.#number(value)
    else if (value === null) this.byte(VALUE.null)
    else if (typeof value === 'boolean') this.byte(value ? VALUE.true : VALUE.false)
    else if (typeof value === 'undefined') this.byte(VALUE.undefined)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (typeof value === 'object') this.#object(value, depth)
    else throw new Untold('content')
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.byte(VALUE.integer)
      this.count(value)
      return
    }
    this.byte(VALUE.double)
    this.#double(value)
  }

  #double(value: number): void {
    this.#room(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  #bigint(value: bigint): void {
    this.byte(value < 0n ? VALUE.negativeBigint : VALUE.bigint)
    this.text((value < 0n ? -value : value).toString(16))
  }

  #object(value: object, depth: number): void {
    if (depth === MOST_DEPTH) throw new Untold('content')
    const shape: unknown = Object.getPrototypeOf(value)
    if (Array.isArray(value)) this.#list(value, depth)
    else if (shape === Object.prototype || shape === null) this.#record(value, shape === null, depth)
    else if (shape === Uint8Array.prototype) this.#raw(VALUE.bytes, value as Uint8Array)
    else if (shape === Buffer.prototype) this.#raw(VALUE.buffer, value as Uint8Array)
    else if (shape === Date.prototype && Reflect.ownKeys(value).length === 0) {
      this.byte(VALUE.date)
      this.#double((value as Date).getTime())
    } else throw new Untold('content')
  }

  #raw(kind: number, value: Uint8Array): void {
    this.byte(kind)
    this.count(value.byteLength)
    this.#room(value.byteLength)
    this.#bytes.set(value, this.#at)
    this.#at += value.byteLength
  }

  #list(value: readonly unknown[], depth: number): void {
    // What a list bears beside its places, such as the index of a match, has no form here; nor has a place that is left out.
    if (Object.getPrototypeOf(value) !== Array.prototype || Reflect.ownKeys(value).length !== value.length + 1)
      throw new Untold('content')
    this.byte(VALUE.list)
    this.count(value.length)
    for (const element of value) this.value(element, depth + 1)
  }

  #record(value: object, isBare: boolean, depth: number): void {
    const keys = keysOf(value)
    this.byte(isBare ? VALUE.bareObject : VALUE.object)
    this.count(keys.length)
    for (const key of keys) {
      this.text(key)
      this.value((value as Record<string, unknown>)[key], depth + 1)
    }
  }

  #room(more: number): void {
    const needed = this.#at + more
    if (needed > this.#most + 16) throw new Untold('too-large')
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** Names of an object's values, where it has nothing else: no symbol, nothing hidden, nothing computed. */
export function keysOf(value: object): readonly string[] {
  const keys = Object.keys(value)
  if (Reflect.ownKeys(value).length !== keys.length) throw new Untold('content')
  return keys
}
