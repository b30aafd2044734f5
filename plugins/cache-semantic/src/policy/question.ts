import { wordsOf } from '../encoder/words.ts'
import { LEXICONS, languageOf, scriptsOf } from '../lexicon/language.ts'
import { type Lexicon, stemOf } from '../lexicon/lexicon.ts'
import { type Facts, factsOf } from './facts.ts'
import { hashOf, hashOfPair, setOf } from './hashed-sets.ts'

/** What is compared of a question, worked out once. */
export interface Question {
  readonly text: string
  readonly words: readonly string[]
  readonly distinct: ReadonlySet<string>
  /** Hashes (`hashed-sets.ts`) of the words, of their stems, and of stems and pairs of neighbouring stems: the second view of the text. */
  readonly hashes: Int32Array
  readonly stems: Int32Array
  readonly terms: Int32Array
  readonly bigrams: Int32Array
  readonly trigrams: Int32Array
  readonly facts: Facts
  readonly negated: boolean
  /** `what`, `how`...; empty where there is none. */
  readonly asks: string
  /** Words in capitals within a sentence, folded. */
  readonly names: ReadonlySet<string>
  /** Words after `from` and after `to`; empty where there is none. */
  readonly origin: string
  readonly destination: string
  /** It only points at something said before: `and that one?`. */
  readonly pointing: boolean
  /** It holds an address or a number that may be somebody's: an e-mail, or nine digits and more. */
  readonly personal: boolean
  readonly scripts: string
  /** BCP 47; undefined where it cannot be told, since no lexicon is at hand for the script. */
  readonly language: string | undefined
}

/** Joiners, soft hyphens and the like: what nobody sees parts no word. */
const UNSEEN = /\p{Cf}/gu
const CONTRACTED_NOT = /n['’]t\b/iu
const LONG_NUMBER = /(?:\d[\s./()-]{0,2}){9,}/u

/** Takes a question apart. `usual` is the language that a text is taken for when its words tell no other. */
export function questionOf(said: string, usual: string = 'en'): Question {
  const text = said.replace(UNSEEN, '')
  const words = wordsOf(text)
  const scripts = scriptsOf(text)
  const language = languageOf(words, scripts, usual)
  const lexicon = language === undefined ? undefined : LEXICONS.get(language)
  const hashes = words.map(hashOf)
  const stems = lexicon === undefined ? hashes : words.map((word) => hashOf(stemOf(word, lexicon)))
  const facts = factsOf(text, lexicon)
  return {
    text: said,
    words,
    distinct: new Set(words),
    hashes: setOf(hashes),
    stems: setOf(stems),
    terms: setOf([...stems, ...pairsOf(stems)]),
    bigrams: setOf(pairsOf(hashes)),
    trigrams: setOf(trigramsOf(words)),
    facts,
    negated: CONTRACTED_NOT.test(text) || (lexicon !== undefined && words.some((word) => lexicon.negations.has(word))),
    asks: (lexicon && words.find((word) => lexicon.askers.has(word))) ?? '',
    names: namesOf(text),
    origin: after(words, lexicon, 'from'),
    destination: after(words, lexicon, 'to'),
    pointing: lexicon !== undefined && words.every((word) => lexicon.pointing.has(word)),
    personal: facts.emails !== '' || LONG_NUMBER.test(text),
    scripts,
    language: lexicon?.language,
  }
}

function pairsOf(hashes: readonly number[]): readonly number[] {
  const pairs: number[] = []
  for (let at = 1; at < hashes.length; at += 1) pairs.push(hashOfPair(hashes[at - 1] as number, hashes[at] as number))
  return pairs
}

function trigramsOf(words: readonly string[]): readonly number[] {
  const padded = ` ${words.join(' ')} `
  const trigrams: number[] = []
  for (let at = 2; at < padded.length; at += 1) {
    const pair = hashOfPair(padded.charCodeAt(at - 2), padded.charCodeAt(at - 1))
    trigrams.push(hashOfPair(pair, padded.charCodeAt(at)))
  }
  return trigrams
}

function after(words: readonly string[], lexicon: Lexicon | undefined, which: 'from' | 'to'): string {
  if (lexicon === undefined) return ''
  const at = words.findIndex((word) => lexicon[which].has(word))
  let next = at < 0 ? undefined : words[at + 1]
  if (next !== undefined && lexicon.frequent.has(next)) next = words[at + 2]
  return next ?? ''
}

const CAPITALISED = /(?<=[\p{L}\p{N},;'"’)]\s+["'(]?)\p{Lu}[\p{L}\p{N}]+/gu

function namesOf(text: string): ReadonlySet<string> {
  const names = text.match(CAPITALISED) ?? []
  if (names.length === 0) return NONE
  // A text in capitals throughout names nothing by them.
  const lower = text.match(/(?<![\p{L}\p{N}])\p{Ll}/gu)?.length ?? 0
  return names.length > lower ? NONE : new Set(names.map((name) => name.toLowerCase()))
}

const NONE: ReadonlySet<string> = new Set()
