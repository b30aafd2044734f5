import { weightOf } from './weights.ts'

/** A run without a space above so many characters goes to no tokenizer: byte-pair encoding is super-linear on it. */
export const LONGEST_RUN = 2_000
/** Base64 takes 1.46 characters a token in o200k: what a reservation assumes of a long run, and an estimate of a random-looking one. */
export const RUN_CHARS_PER_TOKEN = 1.4

/** What one pass over a text finds. */
export interface Scan {
  /** Its tokens in o200k, estimated by classes of characters. */
  readonly tokens: number
  /** Of these, what a count by words leaves out: random-looking runs, spaces before numbers, long white space, mixed punctuation. */
  readonly unworded: number
  /** What a reservation adds for its runs above LONGEST_RUN. */
  readonly reserve: number
}

const SPACE = 0
const LOWER = 1
const UPPER = 2
const DIGIT = 3
const MARK = 4
const CLASS_OF: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => classOf(code))

/** Runs this long whose letters, cases and digits alternate as often as a quarter of their length are keys, hashes and base64. */
const SHORTEST_RANDOM = 24
const RANDOM_CHANGES = 0.25

/** White space is free as the start of a word; long stretches of it are not, and mixed ones least. */
const SHORTEST_BLANK = 16
const CHARS_PER_BLANK_TOKEN = 64
const TURNS_PER_BLANK_TOKEN = 3
const CHARS_PER_WORD_TOKEN = 7
const CHARS_PER_MARK_TOKEN = 6
const TURNS_PER_MARK_TOKEN = 2
const CHARS_PER_DIGIT_TOKEN = 3
const LONGEST_LOWER_TOKEN = 8
const LONGEST_SHORT_TOKEN = 3

/** One pass, linear in the text whatever it holds: about 2 ms for a million characters. */
export function scanText(text: string): Scan {
  const { length } = text
  let tokens = 0
  let unworded = 0
  let reserve = 0
  let at = 0
  while (at < length) {
    const first = text.charCodeAt(at)
    if (first < 128 && CLASS_OF[first] === SPACE) {
      const from = at
      let lines = 0
      let turns = 0
      while (at < length) {
        const code = text.charCodeAt(at)
        if (!isSpace(code)) break
        if (code === 10) lines++
        if (at > from && code !== text.charCodeAt(at - 1)) turns++
        at++
      }
      if (lines > 0) tokens++
      const blank = at - from
      if (blank >= SHORTEST_BLANK) {
        const more = blank / CHARS_PER_BLANK_TOKEN + turns / TURNS_PER_BLANK_TOKEN
        tokens += more
        unworded += more
      }
      if (at < length && isDigit(text.charCodeAt(at)) && at > from && text.charCodeAt(at - 1) === 32) {
        tokens++
        unworded++
      }
      continue
    }
    // Positions in the run are kept in locals: a closure or an object a run would double the time of the pass.
    const from = at
    let runTokens = 0
    let changes = 0
    let before = -1
    let word = 0
    let lower = 0
    let digits = 0
    let marks = 0
    let turns = 0
    let wide = 0
    while (at < length) {
      const code = text.charCodeAt(at)
      const kind = code < 128 ? (CLASS_OF[code] as number) : -1
      if (kind === SPACE) break
      if (kind === MARK) {
        if (word > 0) runTokens += wordTokens(word, lower, digits)
        word = lower = digits = 0
        if (marks > 0 && code !== text.charCodeAt(at - 1)) turns++
        marks++
      } else {
        if (marks > 0) {
          const more = mixedMarks(marks, turns)
          unworded += more
          runTokens += markTokens(marks) + more
        }
        marks = turns = 0
        if (kind < 0) {
          runTokens += weightOf(code)
          wide++
        } else {
          word++
          if (kind === LOWER) lower++
          else if (kind === DIGIT) digits++
          if (before > 0 && before !== kind) changes++
          before = kind
        }
      }
      at++
    }
    const more = mixedMarks(marks, turns)
    unworded += more
    runTokens += wordTokens(word, lower, digits) + markTokens(marks) + more
    const run = at - from
    const asRandom = run / RUN_CHARS_PER_TOKEN
    if (wide === 0 && run >= SHORTEST_RANDOM && changes >= run * RANDOM_CHANGES && asRandom > runTokens) {
      unworded += asRandom - runTokens
      runTokens = asRandom
    }
    if (run > LONGEST_RUN && asRandom > runTokens) reserve += asRandom - runTokens
    tokens += runTokens
  }
  return { tokens, unworded, reserve }
}

function wordTokens(length: number, lower: number, digits: number): number {
  if (length === 0) return 0
  if (digits === length) return Math.ceil(length / CHARS_PER_DIGIT_TOKEN)
  if (length <= LONGEST_SHORT_TOKEN || (lower === length && length <= LONGEST_LOWER_TOKEN)) return 1
  return Math.ceil(length / CHARS_PER_WORD_TOKEN)
}

function markTokens(length: number): number {
  return Math.ceil(length / CHARS_PER_MARK_TOKEN)
}

/** What mixed punctuation takes beyond `markTokens`. */
function mixedMarks(length: number, turns: number): number {
  return length > CHARS_PER_MARK_TOKEN ? Math.max(0, turns / TURNS_PER_MARK_TOKEN - markTokens(length)) : 0
}

function isSpace(code: number): boolean {
  return code < 128 && CLASS_OF[code] === SPACE
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function classOf(code: number): number {
  if (code === 32 || (code >= 9 && code <= 13)) return SPACE
  if (code >= 97 && code <= 122) return LOWER
  if (code >= 65 && code <= 90) return UPPER
  return isDigit(code) ? DIGIT : MARK
}
