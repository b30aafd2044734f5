import { SwitchyardError } from '@switchyard/contract'
import { MOST_DEPTH, VALUE } from './write-values.ts'

/** Reads what a `ValueWriter` wrote. Throws `UPSTREAM_INVALID` for anything else, and takes no memory for what is not there. */
export class ValueReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number
  }

  count(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * unit
      if (!Number.isSafeInteger(value)) throw noneOfOurs()
      if (byte < 0x80) return value
      unit *= 0x80
    }
  }

  /** How many things follow, of which each takes a byte at least. */
  countOfThings(): number {
    const count = this.count()
    if (count > this.#bytes.length - this.#at) throw noneOfOurs()
    return count
  }

  text(): string {
    return this.#textAs(this.byte())
  }

  value(depth = 0): unknown {
    const kind = this.byte()
    switch (kind) {
      case VALUE.null:
        return null
      case VALUE.undefined:
        return undefined
      case VALUE.false:
        return false
      case VALUE.true:
        return true
      case VALUE.integer:
        return this.count()
      case VALUE.double:
        return this.#bytes.readDoubleLE(this.#take(8))
      case VALUE.date:
        return new Date(this.#bytes.readDoubleLE(this.#take(8)))
      case VALUE.bigint:
        return this.#bigint()
      case VALUE.negativeBigint:
        return -this.#bigint()
      case VALUE.bytes:
        return new Uint8Array(this.#span())
      case VALUE.buffer:
        return Buffer.from(this.#span())
      case VALUE.text:
      case VALUE.illFormedText:
        return this.#textAs(kind)
      default:
        return this.#nested(kind, depth)
    }
  }

  #nested(kind: number, depth: number): unknown {
    if (depth === MOST_DEPTH) throw noneOfOurs()
    if (kind === VALUE.list) return Array.from({ length: this.countOfThings() }, () => this.value(depth + 1))
    if (kind !== VALUE.object && kind !== VALUE.bareObject) throw noneOfOurs()
    const record = emptyRecord(kind === VALUE.bareObject)
    for (let left = this.countOfThings(); left > 0; left -= 1) {
      const key = this.text()
      put(record, key, this.value(depth + 1))
    }
    return record
  }

  #textAs(kind: number): string {
    if (kind !== VALUE.text && kind !== VALUE.illFormedText) throw noneOfOurs()
    return this.#span().toString(kind === VALUE.text ? 'utf8' : 'utf16le')
  }

  #bigint(): bigint {
    try {
      return BigInt(`0x${this.text()}`)
    } catch {
      throw noneOfOurs()
    }
  }

  #span(): Buffer {
    const length = this.count()
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  #take(length: number): number {
    const from = this.#at
    if (length > this.#bytes.length - from) throw noneOfOurs()
    this.#at = from + length
    return from
  }
}

/** An object to put values into, without a prototype where it had none. */
export function emptyRecord(isBare: boolean): Record<string, unknown> {
  return isBare ? Object.create(null) : {}
}

/** Sets a value of an object's own, whatever its name. */
export function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') record[key] = value
  else Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true })
}

/** What bytes that hold no result are refused with. */
export function noneOfOurs(): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', 'cache: these bytes hold no result of a query that this version stored')
}
