/** What is kept beside a vector. Its id is the key of the stored answer. */
export interface Payload {
  /** The question. */
  readonly text: string
  /** Of its answer group: 22 characters of a digest. */
  readonly group: string
  /** The question that the group was founded by. */
  readonly founder: string
}

/** The most that a `vectors` port takes. */
const MOST_BYTES = 16_384
/** Others are not read, so that nodes of two releases may run side by side. */
const VERSION = 1
const GROUP = /^[\w-]{22}$/u

/** A payload as bytes; undefined where it is too large to be kept. */
export function encodePayload({ text, group, founder }: Payload): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ v: VERSION, t: text, g: group, ...(founder !== text && { f: founder }) }),
  )
  return bytes.byteLength > MOST_BYTES ? undefined : bytes
}

/** What the bytes say; undefined where they are of another version, or nothing of ours. */
export function decodePayload(bytes: Uint8Array | undefined): Payload | undefined {
  if (bytes === undefined || bytes.byteLength > MOST_BYTES) return undefined
  let given: { readonly v?: unknown; readonly t?: unknown; readonly g?: unknown; readonly f?: unknown } | null
  try {
    given = JSON.parse(DECODER.decode(bytes))
  } catch {
    return undefined
  }
  const { v, t: text, g: group, f: founder = text } = given ?? {}
  if (v !== VERSION || !isText(text) || !isText(founder) || typeof group !== 'string' || !GROUP.test(group)) return undefined
  return { text, group, founder }
}

const DECODER = new TextDecoder('utf-8', { fatal: true })

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
