import type { Lexicon } from '../lexicon/lexicon.ts'

/** What must be equal in two questions that share an answer, each kind in one form, sorted (but numbers) and joined. */
export interface Facts {
  readonly urls: string
  readonly emails: string
  readonly quoted: string
  readonly code: string
  readonly ids: string
  readonly money: string
  readonly dates: string
  readonly units: string
  /** In their order, with the signs before them. */
  readonly numbers: string
}

// Each repetition has a bound: texts of strangers are not to be looked through from every place to their end.
const QUOTED =
  /"([^"]{1,200})"|“([^”]{1,200})”|«([^»]{1,200})»|„([^“”]{1,200})[“”]|(?<![\p{L}\p{N}])'([^']{1,200})'(?![\p{L}\p{N}])/gu
const URL_LIKE = /\b(?:https?|ftp):\/\/[^\s<>"]+|\bwww\.[^\s<>"]+/giu
const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu
const CODE =
  /`[^`]+`|(?<![\p{L}\p{N}-])--?[a-z][\w-]*|\b[\p{L}_$][\w$]*\(\)|\b\w+(?:_\w+)+\b|\b\p{Ll}+(?:\p{Lu}[\p{L}\p{N}]*)+|\b[\p{L}_]\w*(?:\.[\p{L}_]\w*)+\b/gu
const ID =
  /(?<![\p{L}\p{N}])#?(?=[\p{L}\p{N}-]{0,40}\p{L})(?=[\p{L}\p{N}-]{0,40}\p{N})[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+){0,20}|#\p{N}+/gu
/** One letter that stands for itself: of a vitamin, a plan, a language. */
const LETTER = /(?<![\p{L}\p{M}\p{N}'’&/.-])\p{Script=Latin}(?:\+\+|#|(?![\p{L}\p{M}\p{N}'’&/-]|\.\p{L}))/gu
const ISO_DATE = /\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?\b(?!\.?\d)/gu
const NUMBER_UNIT = /^(\p{N}+(?:[.,]\p{N}+)*)(\p{L}+)$/u
const SYMBOL_MONEY = /([$€£¥₹])\s?(\p{N}+(?:[.,]\p{N}+){0,8})|(?<!\p{N})(\p{N}{1,30}(?:[.,]\p{N}{1,30}){0,8})\s?([$€£¥₹])/gu
const SYMBOLS: Readonly<Record<string, string>> = { $: 'USD', '€': 'EUR', '£': 'GBP', '¥': 'JPY', '₹': 'INR' }
const TOKEN = /\p{N}+(?:[.,:]\p{N}+)*|[\p{L}\p{M}]+|%|[-+*/×÷^=<>≤≥]{1,3}(?=\s?\p{N})/gu
const SIGN = /^[-+*/×÷^=<>≤≥]/u
const DASH = /[‐-―−]/gu
const ORDINAL = /^(?:st|nd|rd|th|er|e|o|a)$/u
const CAN_HOLD_FACTS = /[\p{N}"“«„'`@_()$€£¥₹./-]|\p{Ll}\p{Lu}/u

/** Reads the facts of a text, those written in words by a lexicon. */
export function factsOf(text: string, lexicon: Lexicon | undefined): Facts {
  const found = { urls: [], emails: [], quoted: [], code: [], ids: [], money: [], dates: [], units: [], numbers: [] } as Found
  let rest = text.normalize('NFKC').replace(DASH, '-')
  for (const [letter] of rest.matchAll(LETTER)) {
    const id = letter.toLowerCase()
    if (!isWord(id, lexicon)) found.ids.push(id)
  }
  if (CAN_HOLD_FACTS.test(rest)) rest = spelledOut(rest, lexicon, found)
  inWords(rest.toLowerCase().match(TOKEN) ?? [], lexicon, found)
  return {
    urls: canonical(found.urls),
    emails: canonical(found.emails),
    quoted: canonical(found.quoted),
    code: canonical(found.code),
    ids: canonical(found.ids),
    money: canonical(found.money),
    dates: canonical(found.dates),
    units: canonical(found.units),
    numbers: found.numbers.join(' | '),
  }
}

type Found = { readonly [K in keyof Facts]: string[] }

/** Takes out what its form alone tells, and gives the rest. */
function spelledOut(text: string, lexicon: Lexicon | undefined, found: Found): string {
  let rest = text.replace(URL_LIKE, (url) => {
    found.urls.push(url.replace(/[.,;:!?)]+$/u, ''))
    return ' '
  })
  rest = rest.replace(EMAIL, (email) => {
    found.emails.push(email.toLowerCase())
    return ' '
  })
  for (const match of rest.matchAll(QUOTED)) {
    const quoted = match.slice(1).find((part) => part !== undefined) as string
    found.quoted.push(quoted.trim().toLowerCase())
  }
  rest = rest.replace(CODE, (code) => {
    found.code.push(code.replaceAll('`', '').trim())
    return ' '
  })
  rest = rest.replace(SYMBOL_MONEY, (_, before, amount, other, after) => {
    found.money.push(`${plainNumber(amount ?? other)} ${SYMBOLS[before ?? after]}`)
    return ' '
  })
  rest = rest.replace(ISO_DATE, (date) => {
    found.dates.push(date.replaceAll(/[./]/gu, '-'))
    return ' '
  })
  return rest.replace(ID, (id) => {
    const [, amount, unit] = NUMBER_UNIT.exec(id.toLowerCase()) ?? []
    if (amount !== undefined && unit !== undefined) {
      if (ORDINAL.test(unit) || lexicon?.units.has(unit) || lexicon?.currencies.has(unit)) return `${amount} ${unit}`
    }
    found.ids.push(id.toLowerCase())
    return ' '
  })
}

/** Numbers, and words that stand for numbers, days, months, money and units beside them. */
function inWords(tokens: readonly string[], lexicon: Lexicon | undefined, found: Found): void {
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as string
    const date = lexicon?.dates.get(token)
    if (date !== undefined && lexicon !== undefined && meansDate(tokens, at, lexicon)) {
      found.dates.push(date)
      continue
    }
    if (SIGN.test(token)) {
      found.numbers.push(token)
      continue
    }
    const value = numberOf(token, lexicon)
    if (value === undefined) continue
    const next = tokens[at + 1]
    const currency = next === undefined ? undefined : lexicon?.currencies.get(next)
    const unit = next === '%' ? '%' : next === undefined ? undefined : lexicon?.units.get(next)
    if (currency !== undefined) found.money.push(`${value} ${currency}`)
    else if (unit !== undefined) found.units.push(`${value} ${unit}`)
    else found.numbers.push(value)
  }
}

/** An article, a pronoun or the like: a letter that is a word by itself. */
function isWord(letter: string, lexicon: Lexicon | undefined): boolean {
  return letter === 'a' || letter === 'i' || lexicon?.frequent.has(letter) === true
}

function meansDate(tokens: readonly string[], at: number, lexicon: Lexicon): boolean {
  if (!lexicon.ambiguousDates.has(tokens[at] as string)) return true
  const before = tokens[at - 1] ?? ''
  return /^\p{N}/u.test(before) || /^\p{N}/u.test(tokens[at + 1] ?? '') || lexicon.beforeDate.has(before)
}

function numberOf(token: string, lexicon: Lexicon | undefined): string | undefined {
  if (/^\p{N}/u.test(token)) return plainNumber(token)
  const value = lexicon?.numbers.get(token)
  return value === undefined ? undefined : String(value)
}

/** Without the marks between thousands, and with a point before decimals. */
function plainNumber(text: string): string {
  const plain = text.replace(/[.,](?=\p{N}{3}(?!\p{N}))/gu, '').replace(',', '.')
  return plain.includes('.') ? plain.replace(/\.?0+$/u, '') : plain
}

function canonical(parts: string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : parts.sort().join(' | ')
}
