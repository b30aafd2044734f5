import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

/** What a leader tells the listeners of other nodes. A flight that ends without `end` or `failure` was cut. */
export type Told =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly error: SwitchyardError }

/** Each is told as its kind in a byte, its length in four (big-endian), and as many bytes. */
const HEADER_BYTES = 5
const KINDS = { frame: 0, end: 1, failure: 2 } as const

function record(kind: keyof typeof KINDS, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.byteLength)
  bytes[0] = KINDS[kind]
  new DataView(bytes.buffer).setUint32(1, body.byteLength)
  bytes.set(body, HEADER_BYTES)
  return bytes
}

/** A frame, as it goes to other nodes. */
export function frameRecord(frame: Uint8Array): Uint8Array {
  return record('frame', frame)
}

/** The good end of all frames. */
export function endRecord(): Uint8Array {
  return record('end', new Uint8Array(0))
}

/** An error, as it goes to other nodes: code, message, and the facts that JSON can hold; without its cause. */
export function failureRecord(error: SwitchyardError): Uint8Array {
  const { code, message, retryable, retryAfterMs, plugin, details } = error
  let text: string
  try {
    text = JSON.stringify({ code, message, retryable, retryAfterMs, plugin, details })
  } catch {
    text = JSON.stringify({ code, message, retryable, retryAfterMs, plugin })
  }
  return record('failure', new TextEncoder().encode(text))
}

function failureOf(body: Uint8Array): SwitchyardError {
  const { code, message, ...rest } = JSON.parse(new TextDecoder().decode(body)) as {
    readonly code: ErrorCode
    readonly message: string
  }
  return new SwitchyardError(code, message, rest)
}

/**
 * Makes a reader of records, whatever pieces they come in.
 * @throws SwitchyardError UPSTREAM_INVALID, of what the reader is given that is no record.
 */
export function recordReader(): (chunk: Uint8Array) => Told[] {
  let rest: Uint8Array = new Uint8Array(0)

  function read(bytes: Uint8Array): Told {
    const body = bytes.subarray(HEADER_BYTES)
    try {
      if (bytes[0] === KINDS.frame) return { kind: 'frame', frame: body }
      if (bytes[0] === KINDS.end) return { kind: 'end' }
      if (bytes[0] === KINDS.failure) return { kind: 'failure', error: failureOf(body) }
    } catch {
      // told below
    }
    throw new SwitchyardError(
      'UPSTREAM_INVALID',
      `a flight told something that is no record (kind ${bytes[0]}); nodes of a fleet must run versions of @switchyard/cache that agree`,
    )
  }

  return (chunk) => {
    const told: Told[] = []
    let bytes = chunk
    if (rest.byteLength > 0) {
      bytes = new Uint8Array(rest.byteLength + chunk.byteLength)
      bytes.set(rest)
      bytes.set(chunk, rest.byteLength)
    }
    let at = 0
    while (bytes.byteLength - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(1)
      if (end > bytes.byteLength) break
      told.push(read(bytes.subarray(at, end)))
      at = end
    }
    rest = bytes.subarray(at)
    return told
  }
}
