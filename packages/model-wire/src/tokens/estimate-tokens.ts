import { type Measure, measureByCharacters, measureByWords } from './heuristic.ts'
import { START_MULTIPLIERS, type TokenMultipliers } from './multipliers.ts'

/** Texts up to here are estimated by words, which takes a millisecond at most. */
const WORDS_UP_TO = 8_192
/** Of longer texts no more than this is read, in windows spread over the whole, so that no text takes longer than another. */
const READ_AT_MOST = 65_536
/** Longer than LONGEST_RUN, so that a window inside a long run knows it for one. */
const WINDOW = 2_048

/**
 * The tokens of a text at once: a whole number >= 0, 0 for the empty text only. It loads nothing and reads 64 k characters at most, about
 * a millisecond; of a longer text it reads samples, and `countTokens` reads all.
 */
export function estimateTokens(
  text: string,
  family: string,
  multipliers: Pick<TokenMultipliers, 'of'> = START_MULTIPLIERS,
): number {
  return Math.ceil(measureAtOnce(text).tokens * multipliers.of(family))
}

/** Before the multiplier, with what a reservation should hold. */
export function measureAtOnce(text: string): Measure {
  if (text.length <= WORDS_UP_TO) return measureByWords(text)
  if (text.length <= READ_AT_MOST) return measureByCharacters(text)
  return measureSampled(text)
}

function measureSampled(text: string): Measure {
  const windows = READ_AT_MOST / WINDOW
  const stride = (text.length - WINDOW) / (windows - 1)
  let tokens = 0
  let densest = 0
  for (let index = 0; index < windows; index++) {
    const from = Math.floor(index * stride)
    const window = measureByCharacters(text.slice(from, from + WINDOW))
    tokens += window.tokens
    densest = Math.max(densest, window.reserved)
  }
  // What was not read may be as dense as the densest part that was: a reservation supposes so.
  return { tokens: (tokens / READ_AT_MOST) * text.length, reserved: (densest / WINDOW) * text.length }
}
