/** Where the next token starts: after white space and comments, which PostgreSQL nests. */
function skipTrivia(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text[at]
    if (char === ' ' || char === '\n' || char === '\r' || char === '\t' || char === '\f' || char === '\v') at++
    else if (char === '-' && text[at + 1] === '-') {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end + 1
    } else if (char === '/' && text[at + 1] === '*') at = afterComment(text, at)
    else return at
  }
}

function afterComment(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; ) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth++
      at += 2
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth--
      at += 2
      if (depth === 0) return at
    } else at++
  }
  return text.length
}

/** The next word from a place on, in upper case, and where it ends; empty where there is no letter. */
function wordAt(text: string, from: number): { readonly word: string; readonly end: number } {
  const start = skipTrivia(text, from)
  const word = /^[a-z][a-z0-9_$]*/i.exec(text.slice(start, start + 64))?.[0] ?? ''
  return { word: word.toUpperCase(), end: start + word.length }
}

/** Where the first statement starts: the server passes over empty ones, so that `; COMMIT` is a COMMIT. */
function start(text: string): number {
  let at = skipTrivia(text, 0)
  while (text[at] === ';') at = skipTrivia(text, at + 1)
  return at
}

/** The first word after comments and empty statements, in upper case; empty where the text starts otherwise. */
export function firstWord(text: string): string {
  return wordAt(text, start(text)).word
}

/** True where there is nothing but white space, comments and semicolons, which the server takes for success. */
export function isEmpty(text: string): boolean {
  return start(text) === text.length
}

/** True for what would begin or end the transaction itself; savepoints are not meant. */
export function controlsTransaction(text: string): boolean {
  const first = wordAt(text, start(text))
  switch (first.word) {
    case 'BEGIN':
    case 'START':
    case 'COMMIT':
    case 'END':
    case 'ABORT':
      return true
    case 'ROLLBACK': {
      const second = wordAt(text, first.end)
      const noise = second.word === 'WORK' || second.word === 'TRANSACTION'
      return (noise ? wordAt(text, second.end) : second).word !== 'TO'
    }
    case 'PREPARE':
      return wordAt(text, first.end).word === 'TRANSACTION'
    default:
      return false
  }
}

/** What outlives its transaction wherever it stands in a statement, for all that the text tells. */
const LASTING =
  /\bset_config\s*\((?![^()]*,\s*true\s*\))|\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(|\binto\s+(?:local\s+|global\s+)?temp(?:orary)?\b|\bpg_temp\b/i

/**
 * True where a statement may leave something in the session that outlives its transaction: settings, prepared statements,
 * temporary tables, held cursors, advisory locks, subscriptions. Too often rather than too seldom; but what a function of the
 * database does inside is not seen.
 */
export function changesSession(text: string): boolean {
  const first = wordAt(text, start(text))
  switch (first.word) {
    case 'SET': {
      const { word } = wordAt(text, first.end)
      return word !== 'LOCAL' && word !== 'TRANSACTION' && word !== 'CONSTRAINTS'
    }
    case 'CREATE':
      return makesTemporary(text, first.end) || LASTING.test(text)
    case 'DEALLOCATE':
    case 'DECLARE':
    case 'DISCARD':
    case 'DO':
    case 'LISTEN':
    case 'PREPARE':
      return true
    default:
      return LASTING.test(text)
  }
}

function makesTemporary(text: string, from: number): boolean {
  let next = wordAt(text, from)
  while (['OR', 'REPLACE', 'LOCAL', 'GLOBAL'].includes(next.word)) next = wordAt(text, next.end)
  return next.word === 'TEMP' || next.word === 'TEMPORARY'
}
