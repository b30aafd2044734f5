import type { Dialect } from './dialect.ts'

/** A word, a quoted name, a text, a sign of its own; numbers, placeholders and operators only where something depends on them. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'sign'
  /** Words in lower case; names and texts without their quotes, in lower case. */
  readonly value: string
}

const SPACE = /[ \t\n\r\f]+/y
const WORD = /[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/uy
const NUMBER = /(?:0[xX][\dA-Fa-f]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y
const PLACEHOLDER: Readonly<Record<Dialect, RegExp>> = {
  sqlite: /\?\d*|[:@$][A-Za-z_]\w*/y,
  postgres: /\$\d+/y,
  mysql: /\?/y,
}
const UNUSUAL_SPACE = /[[\v\0\u0085\ufeff\p{Z}]--[\x20]]/v
const CLOSING: Readonly<Record<string, string>> = { '"': '"', '`': '`', "'": "'" }

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

  while (at < text.length) {
    if (matched(SPACE) !== undefined) continue
    const char = text.charAt(at)
    const pair = text.slice(at, at + 2)
    if (pair === '--' || pair === '/*' || (char === '#' && dialect !== 'postgres')) {
      const end = commentEnd(text, at, dialect)
      if (end === undefined) return undefined
      at = end
      continue
    }
    if (char in CLOSING || (char === '[' && dialect === 'sqlite')) {
      if (char === '`' && dialect === 'postgres') return undefined
      const quoted = char === '[' ? bracketed(text, at) : quotedAt(text, at, dialect)
      if (quoted === undefined || isEscaping(tokens.at(-1), text.charAt(at - 1), dialect)) return undefined
      tokens.push({ kind: char === "'" ? 'text' : 'name', value: quoted.value })
      at = quoted.end
      continue
    }
    if (UNUSUAL_SPACE.test(char) || char === '\\') return undefined
    const word = matched(WORD)
    if (word !== undefined) {
      if (UNUSUAL_SPACE.test(word)) return undefined
      tokens.push({ kind: 'word', value: word.toLowerCase() })
      continue
    }
    if (matched(NUMBER) !== undefined || matched(PLACEHOLDER[dialect]) !== undefined) {
      // To MySQL, 2026_orders is a name.
      if (/[\w$\u0080-\uffff]/.test(text.charAt(at))) return undefined
      tokens.push({ kind: 'sign', value: '?' })
      continue
    }
    if (char === '$') return undefined
    const sign = pair === '::' ? pair : char
    tokens.push({ kind: 'sign', value: sign })
    at += sign.length
  }
  return tokens
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
  let value = ''
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\0') return undefined
    if (char === '\\' && escapes) {
      // A mode of the server decides whether a quote behind a backslash ends the text.
      if (text.charAt(at + 1) === quote) return undefined
      value += text.slice(at, at + 2)
      at += 1
    } else if (char !== quote) value += char
    else if (text.charAt(at + 1) === quote) {
      value += quote
      at += 1
    } else return { value: value.toLowerCase(), end: at + 1 }
  }
  return undefined
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
