import type { Dialect } from './dialect.ts'

/** A word, a quoted name, a text, a sign of its own; numbers, placeholders and operators only where something depends on them. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'sign'
  /** Words in lower case; names and texts without their quotes, in lower case. */
  readonly value: string
}

const WORD = /[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/uy
const NUMBER = /(?:0[xX][\dA-Fa-f]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y
const PLACEHOLDER: Readonly<Record<Dialect, RegExp>> = {
  sqlite: /\?\d*|[:@$][A-Za-z_]\w*/y,
  postgres: /\$\d+/y,
  mysql: /\?/y,
}
/** Spaces that not every server takes for one, and a character of zero. */
const UNUSUAL = /[[\v\0\u0085\ufeff\p{Z}]--[\x20]]/v
const BEYOND_ASCII = /[^\0-\x7f]/
/** What ASCII characters may begin. */
const BEGINS: readonly (Begin | undefined)[] = Array.from({ length: 128 }, (_, code) => beginOf(String.fromCharCode(code)))

type Begin = 'space' | 'word' | 'digit' | 'dot' | 'quote' | 'comment' | 'placeholder' | 'unusual'

function beginOf(char: string): Begin | undefined {
  if (/[ \t\n\r\f]/.test(char)) return 'space'
  if (/[A-Za-z_]/.test(char)) return 'word'
  if (/\d/.test(char)) return 'digit'
  if (char === '.') return 'dot'
  if (/["'`[]/.test(char)) return 'quote'
  if (/[-/#]/.test(char)) return 'comment'
  if (/[?:@$]/.test(char)) return 'placeholder'
  return /[\\\v\0]/.test(char) ? 'unusual' : undefined
}

const SIGNS: readonly Token[] = Array.from({ length: 128 }, (_, code) => sign(String.fromCharCode(code)))
const TYPE_OF = sign('::')
const VALUE = sign('?')

function sign(value: string): Token {
  return Object.freeze({ kind: 'sign', value })
}

/**
 * The tokens of a text, comments left out. Undefined where servers may read it otherwise than it looks here: comments that run, backslashes
 * before quotes, quotes and comments without an end, dollar quotes, spaces that not everybody takes for such.
 */
export function tokensOf(text: string, dialect: Dialect): readonly Token[] | undefined {
  const tokens: Token[] = []
  let at = 0

  function matched(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }

  function value(pattern: RegExp): boolean | undefined {
    if (matched(pattern) === undefined) return false
    // To MySQL, 2026_orders is a name.
    if (/[\w$\u0080-\uffff]/.test(text.charAt(at))) return undefined
    tokens.push(VALUE)
    return true
  }

  while (at < text.length) {
    const code = text.charCodeAt(at)
    const begin = code < 128 ? BEGINS[code] : 'word'
    if (begin === 'space') {
      at += 1
      continue
    }
    if (begin === 'word') {
      const word = matched(WORD)
      if (word === undefined || (BEYOND_ASCII.test(word) && UNUSUAL.test(word))) return undefined
      tokens.push({ kind: 'word', value: word.toLowerCase() })
      continue
    }
    if (begin === 'unusual') return undefined
    if (begin === 'comment' && isComment(text, at, dialect)) {
      const end = commentEnd(text, at, dialect)
      if (end === undefined) return undefined
      at = end
      continue
    }
    if (begin === 'quote' && (code !== BRACKET || dialect === 'sqlite')) {
      if (code === BACKTICK && dialect === 'postgres') return undefined
      const quoted = code === BRACKET ? bracketed(text, at) : quotedAt(text, at, dialect)
      if (quoted === undefined || isEscaping(tokens.at(-1), text.charAt(at - 1), dialect)) return undefined
      tokens.push({ kind: code === APOSTROPHE ? 'text' : 'name', value: quoted.value })
      at = quoted.end
      continue
    }
    if (begin === 'digit' || begin === 'dot' || begin === 'placeholder') {
      const isValue = value(begin === 'placeholder' ? PLACEHOLDER[dialect] : NUMBER)
      if (isValue === true) continue
      if (isValue === undefined || code === DOLLAR) return undefined
    }
    const isType = code === COLON && text.charCodeAt(at + 1) === COLON
    tokens.push(isType ? TYPE_OF : (SIGNS[code] as Token))
    at += isType ? 2 : 1
  }
  return tokens
}

const APOSTROPHE = 39
const BACKTICK = 96
const BRACKET = 91
const DOLLAR = 36
const COLON = 58

function isComment(text: string, at: number, dialect: Dialect): boolean {
  const pair = text.slice(at, at + 2)
  return pair === '--' || pair === '/*' || (pair.startsWith('#') && dialect !== 'postgres')
}

/** Where a comment that begins at `from` ends, or undefined where that is not the same for all who read it. */
function commentEnd(text: string, from: number, dialect: Dialect): number | undefined {
  if (text.startsWith('/*', from)) {
    const end = text.indexOf('*/', from + 2)
    const body = text.slice(from + 2, end)
    // MySQL runs what is in /*! */; PostgreSQL nests comments, and others do not.
    return end < 0 || body.includes('/*') || /^M?!/.test(body) ? undefined : end + 2
  }
  const isHash = text.charAt(from) === '#'
  if (isHash && dialect !== 'mysql') return undefined
  // To MySQL, 5--3 is a sum.
  if (!isHash && dialect === 'mysql' && !/^[ \t\n]?$/.test(text.charAt(from + 2))) return undefined
  const newline = text.indexOf('\n', from)
  const line = text.slice(from, newline < 0 ? text.length : newline)
  if (/\r(?!$)|\0/.test(line)) return undefined
  return newline < 0 ? text.length : newline + 1
}

interface Quoted {
  readonly value: string
  readonly end: number
}

function quotedAt(text: string, from: number, dialect: Dialect): Quoted | undefined {
  const quote = text.charAt(from)
  const escapes = dialect === 'mysql' && quote !== '`'
  let end = from + 1
  for (;;) {
    end = text.indexOf(quote, end)
    if (end < 0) return undefined
    if (text.charAt(end + 1) !== quote) break
    end += 2
  }
  const inside = text.slice(from + 1, end)
  // A mode of the server decides whether a quote behind a backslash ends the text.
  if (inside.includes('\0') || (escapes && isAmbiguous(inside))) return undefined
  return { value: inside.replaceAll(quote + quote, quote).toLowerCase(), end: end + 1 }
}

/** Whether a backslash stands before a quote, or before the end, and is not itself behind one. */
function isAmbiguous(inside: string): boolean {
  for (let at = inside.indexOf('\\'); at >= 0; at = inside.indexOf('\\', at + 2)) {
    const next = inside.charAt(at + 1)
    if (next === '' || next === "'" || next === '"') return true
  }
  return false
}

function bracketed(text: string, from: number): Quoted | undefined {
  const end = text.indexOf(']', from)
  return end < 0 ? undefined : { value: text.slice(from + 1, end).toLowerCase(), end: end + 1 }
}

/** Whether the quote belongs to E'' or U&'', in which PostgreSQL reads backslashes. */
function isEscaping(last: Token | undefined, before: string, dialect: Dialect): boolean {
  if (dialect !== 'postgres') return false
  if (before === '&') return true
  return last?.kind === 'word' && last.value === 'e' && /e/i.test(before)
}
