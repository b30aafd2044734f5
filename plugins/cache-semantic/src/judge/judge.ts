import type { Occasion } from '../own-calls/own-calls.ts'
import type { AnswerPair } from './prompt.ts'

/** Tells whether a stored answer would have done. */
export interface Judge {
  /**
   * How likely the next miss is to be put before it, in [0, 1], by what it has room for: known before the draw, so that what is learnt
   * of few misses can be weighed for all.
   */
  share(): number
  /** Whether an audit can hope for a label. */
  ready(): boolean
  /** Never rejects. Undefined: no label. */
  says(pair: AnswerPair, occasion: Occasion): Promise<boolean | undefined>
}

/** Without a model: right is what says the same in the same words, and whatever else is wrong, so that errors are never thought too few. */
export const WORD_FOR_WORD: Judge = {
  share: () => 1,
  ready: () => true,
  says: async (pair) => sameWords(pair),
}

/** Equal but for case and blanks. Signs count: a minus or a currency is a difference. */
export function sameWords({ fresh, stored }: Pick<AnswerPair, 'fresh' | 'stored'>): boolean {
  return fresh === stored || folded(fresh) === folded(stored)
}

/** Longer answers are compared as they are written: composing a text takes the square of the marks in a row that a model may be asked for. */
const MOST_COMPOSED = 4_096

function folded(text: string): string {
  return (text.length > MOST_COMPOSED ? text : text.normalize('NFC')).trim().replaceAll(BLANKS, ' ').toLowerCase()
}

const BLANKS = /\s+/gu
