/** Marks in a row, in UTF-16 code units, up to which a text is composed. Unicode's stream-safe texts have 30 at most (UAX #15). */
const MOST_MARKS = 32
const FIRST_MARK = 0x300
const MARK = /\p{M}/u
const UNKNOWN = 0
const IS_MARK = 1
const IS_NONE = 2
/** By code unit, filled as they are met. */
const known = new Uint8Array(0x10000)

/**
 * A text in Unicode's composed form (NFC). One with long runs of marks stays as it is: they are put in order one by one, so that a megabyte of them would
 * hold up the process for minutes, and no language has such.
 */
export function composed(text: string): string {
  return hasLongRun(text) ? text : text.normalize('NFC')
}

function hasLongRun(text: string): boolean {
  let run = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < FIRST_MARK || !mayBeMark(unit)) run = 0
    else if (++run > MOST_MARKS) return true
  }
  return false
}

/** Halves of pairs may be marks. */
function mayBeMark(unit: number): boolean {
  if (known[unit] === UNKNOWN) {
    const isHalf = unit >= 0xd800 && unit <= 0xdfff
    known[unit] = isHalf || MARK.test(String.fromCharCode(unit)) ? IS_MARK : IS_NONE
  }
  return known[unit] === IS_MARK
}
