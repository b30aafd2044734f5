import { SwitchyardError } from '@switchyard/contract'
import { isCounted } from './family.ts'
import { measureByCharacters, measureByWords, reservationOf } from './heuristic.ts'
import { START_MULTIPLIERS, type TokenMultipliers } from './multipliers.ts'
import { loadO200k } from './o200k.ts'
import { stretches } from './runs.ts'
import { RUN_CHARS_PER_TOKEN } from './scan.ts'
import { encodingSlices, heuristicSlices } from './slices.ts'

export interface CountOptions {
  /** As `tokenFamily` names it, or a catalog. */
  readonly family: string
  readonly signal?: AbortSignal | undefined
  readonly multipliers?: Pick<TokenMultipliers, 'of'> | undefined
  /** Lets other work run between two slices. Default: the next turn of the event loop. */
  readonly pause?: (() => Promise<void>) | undefined
}

/** What was counted: `tokens`, and what a reservation should hold, which is never less. Whole numbers. */
export interface TokenCount {
  readonly tokens: number
  readonly reservation: number
  /** Every token was counted by the family's own vocabulary. */
  readonly exact: boolean
}

/** Longer texts are estimated, and by characters: that is about as near as by words, and several times as fast. */
const LONGEST_READ_CLOSELY = 65_536
/** Characters of a slice that is estimated, by words and by characters: half a millisecond in the worst text. */
const WORDS_SLICE = 2_048
const CHARACTERS_SLICE = 16_384

/**
 * The tokens of a text: exact for OpenAI's families up to 64 k characters, all else estimated, as are runs above 2,000 characters without
 * a space. It works in slices of about a millisecond and pauses between them, whatever the text. The first count of an OpenAI family loads
 * its vocabulary (`loadO200k`). Rejects `ABORTED`.
 */
export async function countTokens(text: string, options: CountOptions): Promise<number> {
  return (await countText(text, options)).tokens
}

/** The same, with what a reservation should hold. */
export async function countText(text: string, options: CountOptions): Promise<TokenCount> {
  const { family, signal, multipliers = START_MULTIPLIERS, pause = nextTurn } = options
  throwIfAborted(signal)
  const closely = text.length <= LONGEST_READ_CLOSELY
  const encode = closely && isCounted(family) ? await loadO200k() : undefined
  const measureOf = closely ? measureByWords : measureByCharacters
  const factor = multipliers.of(family)
  let tokens = 0
  let reservation = 0
  let exact = true
  let first = true
  for (const { text: slice, counted, isRun } of slicesOf(
    text,
    encode !== undefined,
    closely ? WORDS_SLICE : CHARACTERS_SLICE,
  )) {
    if (!first) await pause()
    first = false
    throwIfAborted(signal)
    if (counted && encode !== undefined) {
      const count = encode(slice)
      tokens += count
      reservation += count
      continue
    }
    const measure = measureOf(slice)
    exact = false
    tokens += measure.tokens * factor
    reservation += Math.max(reservationOf(measure, factor), isRun ? slice.length / RUN_CHARS_PER_TOKEN : 0)
  }
  return { tokens: Math.ceil(tokens), reservation: Math.ceil(reservation), exact }
}

interface Slice {
  readonly text: string
  readonly counted: boolean
  readonly isRun: boolean
}

function* slicesOf(text: string, countable: boolean, longest: number): Generator<Slice, void, undefined> {
  for (const { text: stretch, isRun } of stretches(text)) {
    const counted = countable && !isRun
    for (const slice of counted ? encodingSlices(stretch) : heuristicSlices(stretch, longest))
      yield { text: slice, counted, isRun }
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SwitchyardError('ABORTED', 'the count was given up by its caller', { cause: signal.reason })
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
