import { LEXICONS } from '../lexicon/language.ts'
import type { Facts } from './facts.ts'
import type { Question } from './question.ts'

/** Why two questions may never share an answer, whatever the scorer says. */
export type Veto = keyof Facts | 'negation' | 'opposites' | 'direction' | 'names' | 'script' | 'language'

/** Why a question is neither looked up nor stored for others. */
export type Refusal = 'empty' | 'pointing' | 'personal' | 'language'

/** What is known of the request around a question. */
export interface Surroundings {
  /** There were turns before it, so that it may point at one. */
  readonly earlierTurns: boolean
  /** Answers are shared beyond one user. */
  readonly sharedBeyondUser: boolean
  /** The route takes languages that no list of words is at hand for. */
  readonly anyLanguage: boolean
}

const FACTS: readonly (keyof Facts)[] = ['urls', 'emails', 'quoted', 'code', 'ids', 'money', 'dates', 'units', 'numbers']

/** Why a question alone keeps the level off; undefined where nothing does. */
export function refusalOf(
  question: Question,
  { earlierTurns, sharedBeyondUser, anyLanguage }: Surroundings,
): Refusal | undefined {
  if (question.words.length === 0) return 'empty'
  if (question.language === undefined && !anyLanguage) return 'language'
  if (earlierTurns && question.pointing) return 'pointing'
  if (sharedBeyondUser && question.personal) return 'personal'
  return undefined
}

/** The first reason that keeps two questions apart; undefined where there is none. The same whichever is asked and whichever stored. */
export function vetoOf(one: Question, other: Question): Veto | undefined {
  for (const fact of FACTS) if (one.facts[fact] !== other.facts[fact]) return fact
  if (one.negated !== other.negated) return 'negation'
  if (opposed(one, other) || opposed(other, one)) return 'opposites'
  if (reversed(one, other) || reversed(other, one)) return 'direction'
  if (namesDiffer(one, other)) return 'names'
  if (one.scripts !== other.scripts) return 'script'
  if (one.language !== other.language) return 'language'
  return undefined
}

/** True where one question holds a word and the other its opposite, and neither holds both. */
export function opposed(one: Question, other: Question): boolean {
  const opposites = one.language === undefined ? undefined : LEXICONS.get(one.language)?.opposites
  if (opposites === undefined) return false
  for (const word of one.distinct) {
    if (other.distinct.has(word)) continue
    if (undone(word, one, other)) return true
    const against = opposites.get(word)
    if (against === undefined) continue
    for (const opposite of against) if (other.distinct.has(opposite) && !one.distinct.has(opposite)) return true
  }
  return false
}

const UNDOING = /^(?:un|in|im|ir|dis|des|dé|de|non|ent)/u
const SHORTEST_UNDONE = 4

/** Whether the word is one of the other question's with a syllable before it that undoes it: `unsafe`, `disallow`, `nonrefundable`. */
function undone(word: string, one: Question, other: Question): boolean {
  const syllable = UNDOING.exec(word)?.[0]
  if (syllable === undefined) return false
  const rest = word.slice(syllable.length)
  return rest.length >= SHORTEST_UNDONE && other.distinct.has(rest) && !one.distinct.has(rest)
}

/** True where both name something and either names what the other does not hold. */
export function namesDiffer(one: Question, other: Question): boolean {
  if (one.names.size === 0 || other.names.size === 0) return false
  for (const name of one.names) if (!other.distinct.has(name)) return true
  for (const name of other.names) if (!one.distinct.has(name)) return true
  return false
}

function reversed(one: Question, other: Question): boolean {
  return one.origin !== '' && one.origin === other.destination && one.origin !== other.origin
}
