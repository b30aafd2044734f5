/** Work of a slice, as `workOf` a piece: about a millisecond of byte-pair encoding in the worst text. */
const SLICE_WORK = 8_192
/** A stretch without a safe cut is cut here all the same, at the price of a token; whole groups of three digits, as the vocabulary's. */
export const LONGEST_PIECE = 252
/**
 * A text in slices whose o200k tokens add up to its own, each a bounded amount of work: cut where the vocabulary's own rules end a piece
 * whatever follows. The work of a piece grows with the square of its length.
 */
export function* encodingSlices(text: string): Generator<string, void, undefined> {
  let slice = 0
  let piece = 0
  let work = 0
  for (let at = 1; at <= text.length; at++) {
    const ends = at === text.length || isSafeCut(text.charCodeAt(at - 1), text.charCodeAt(at))
    if (!ends && (at - piece < LONGEST_PIECE || isPair(text, at))) continue
    const more = workOf(at - piece)
    if (work + more > SLICE_WORK && piece > slice) {
      yield text.slice(slice, piece)
      slice = piece
      work = 0
    }
    work += more
    piece = at
  }
  if (slice < text.length) yield text.slice(slice)
}

/** A text in slices of so many characters at most, for an estimate; cut at a space where there is one. */
export function* heuristicSlices(text: string, longest: number): Generator<string, void, undefined> {
  let from = 0
  while (text.length - from > longest) {
    const most = from + longest
    const space = text.slice(from, most).lastIndexOf(' ')
    const to = space > 0 ? from + space : isPair(text, most) ? most - 1 : most
    yield text.slice(from, to)
    from = to
  }
  if (from < text.length) yield text.slice(from)
}

/** A piece is encoded in time that grows with the square of its length; 16 characters are where the square begins to weigh. */
function workOf(length: number): number {
  return length + (length * length) / 16
}

/** Whether no piece of o200k can hold both characters, whatever stands around them. False where it is not sure. */
function isSafeCut(before: number, after: number): boolean {
  if (after === 32 || after === 9) return isVisible(before)
  if (isAsciiLetter(before)) return after < 128 && after !== APOSTROPHE && !isAsciiLetter(after)
  if (isAsciiDigit(before)) return after < 128 && !isAsciiDigit(after)
  if (isAsciiDigit(after)) return before > 32 && before < 127
  if (before === 10) return after > 32 && after < 127 && after !== SLASH
  return isEastAsianLetter(before) && EAST_ASIAN_MARKS.has(after)
}

const APOSTROPHE = 39
const SLASH = 47
const EAST_ASIAN_MARKS: ReadonlySet<number> = new Set([...'、。，！？：；（）「」『』《》'].map((mark) => mark.charCodeAt(0)))
const WIDE_SPACES: ReadonlySet<number> = new Set([0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff])

/** Not white space, by the rules of regular expressions. */
function isVisible(code: number): boolean {
  return code < 128 ? code > 32 : !WIDE_SPACES.has(code) && !(code >= 0x2000 && code <= 0x200a)
}

function isAsciiLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}

function isAsciiDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Kana, Chinese and Hangul that are letters in every version of Unicode. */
function isEastAsianLetter(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fa5) ||
    (code >= 0x3041 && code <= 0x3096) ||
    (code >= 0x30a1 && code <= 0x30fa) ||
    (code >= 0xac00 && code <= 0xd7a3)
  )
}

/** Whether the two halves of one character stand before and after this place. */
function isPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}
