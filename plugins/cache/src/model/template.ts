/** Bytes with places for values that differ with each reply. */
export interface Template {
  /** One more than there are places. */
  readonly parts: readonly Uint8Array[]
  readonly slots: readonly string[]
  readonly bytes: number
}

/** Values by the name of their place, as JSON text. */
export type Values = Readonly<Record<string, string>>

/** A text that stands for a place where `mark` occurs in nothing else. */
export function placeholder(mark: string, slot: string): string {
  return `${mark}${slot}${mark}`
}

const MARK = '@slot'
/** Ahead of itself: the sign behind one may begin the next. */
const MARKS = /@slot(?=(@+))/g

/** A mark that `text` does not hold, found in one walk: texts are made by models, and so by whoever asks them. */
export function markFor(text: string): string {
  let longest = 0
  for (const [, run] of text.matchAll(MARKS)) longest = Math.max(longest, (run as string).length)
  return MARK + '@'.repeat(longest + 1)
}

/** Parts JSON at the placeholders in it, quotes included. */
export function templateOf(json: string, mark: string): Template {
  const pieces = json.split(mark)
  const parts: Uint8Array[] = []
  const slots: string[] = []
  let bytes = 0
  for (const [at, piece] of pieces.entries()) {
    if (at % 2 === 1) {
      slots.push(piece)
      continue
    }
    const from = at === 0 ? 0 : 1
    const part = Buffer.from(piece.slice(from, at === pieces.length - 1 ? piece.length : -1))
    parts.push(part)
    bytes += part.byteLength
  }
  return { parts, slots, bytes }
}

/** The bytes with a value in each place. One without places is given as it is: not to be changed. */
export function filled({ parts, slots, bytes }: Template, values: Values): Uint8Array {
  if (slots.length === 0) return parts[0] as Uint8Array
  let size = bytes
  for (const slot of slots) size += 3 * (values[slot] as string).length
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array
    out.set(part, at)
    at += part.byteLength
    const slot = slots[index]
    if (slot !== undefined) at += out.write(values[slot] as string, at)
  }
  return out.subarray(0, at)
}
