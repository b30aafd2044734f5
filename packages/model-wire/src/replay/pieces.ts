/** Cuts texts one after the other into the pieces that they came in. */
export type Cut = (text: string) => readonly string[]

/** Cuts at `lengths`, in UTF-16 code units, and what is left over into pieces of `length`; never through a surrogate pair. */
export function cutter(lengths: readonly number[] = [], length: number = Number.POSITIVE_INFINITY): Cut {
  let next = 0
  return (text) => {
    const parts: string[] = []
    for (let from = 0; from < text.length; ) {
      const wanted = next < lengths.length ? (lengths[next++] as number) : length
      let end = Math.min(text.length, from + Math.max(1, wanted))
      if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end++
      parts.push(text.slice(from, end))
      from = end
    }
    return parts
  }
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000
}
