import { ENGLISH } from './english.ts'
import { FRENCH } from './french.ts'
import { GERMAN } from './german.ts'
import type { Lexicon } from './lexicon.ts'
import { SPANISH } from './spanish.ts'

/** The lexicons at hand, by language tag. */
export const LEXICONS: ReadonlyMap<string, Lexicon> = new Map(
  [ENGLISH, GERMAN, FRENCH, SPANISH].map((lexicon) => [lexicon.language, lexicon]),
)

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Latn', /\p{Script=Latin}/u],
  ['Cyrl', /\p{Script=Cyrillic}/u],
  ['Grek', /\p{Script=Greek}/u],
  ['Hani', /\p{Script=Han}/u],
  ['Kana', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['Hang', /\p{Script=Hangul}/u],
  ['Arab', /\p{Script=Arabic}/u],
  ['Hebr', /\p{Script=Hebrew}/u],
  ['Deva', /\p{Script=Devanagari}/u],
  ['Thai', /\p{Script=Thai}/u],
]
const BEYOND_LATIN = /[^\s -\u024f\u2000-\u20cf\u2100-\u214f]/u
const LETTER = /\p{L}/u

/** The scripts (ISO 15924) that a text is written in, joined by a space; `Zyyy` where it has no letters, `Zzzz` for any other. */
export function scriptsOf(text: string): string {
  if (!BEYOND_LATIN.test(text)) return LETTER.test(text) ? 'Latn' : 'Zyyy'
  const found = SCRIPTS.filter(([, pattern]) => pattern.test(text)).map(([script]) => script)
  if (found.length > 0) return found.join(' ')
  return LETTER.test(text) ? 'Zzzz' : 'Zyyy'
}

/**
 * The language of a question: the one among those at hand whose frequent words it has most of, and `usual` where none is ahead of it.
 * Undefined for a script that none of them is written in.
 */
export function languageOf(words: readonly string[], scripts: string, usual: string): string | undefined {
  if (scripts !== 'Latn' && scripts !== 'Zyyy') return undefined
  let best = usual
  let most = frequentIn(words, LEXICONS.get(usual))
  for (const [language, lexicon] of LEXICONS) {
    const count = frequentIn(words, lexicon)
    if (count > most + 1) {
      most = count
      best = language
    }
  }
  return best
}

function frequentIn(words: readonly string[], lexicon: Lexicon | undefined): number {
  if (lexicon === undefined) return 0
  let count = 0
  for (const word of words) if (lexicon.frequent.has(word)) count += 1
  return count
}
