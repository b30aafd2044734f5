const BLANK: ReadonlySet<string> = new Set([' ', '\n', '\r', '\t', '\f', ';', '\uFEFF'])
const WRITES = /\b(?:insert|update|delete|replace)\b/i

/** Where the next token starts, as SQLite reads: after white space, a byte order mark, comments and empty statements. */
function skipTrivia(text: string): number {
  let at = 0
  for (;;) {
    const char = text[at]
    if (char !== undefined && BLANK.has(char)) at++
    else if (char === '-' && text[at + 1] === '-') at = after(text, '\n', at)
    else if (char === '/' && text[at + 1] === '*') at = after(text, '*/', at + 2)
    else return at
  }
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from)
  return at === -1 ? text.length : at + end.length
}

/** True for white space, comments and semicolons: what may follow a statement that is the only one. */
export function isTrivia(text: string): boolean {
  return skipTrivia(text) === text.length
}

/** The first word after comments, in upper case; empty where the text starts otherwise. */
export function firstWord(text: string): string {
  const start = skipTrivia(text)
  return /^[a-z]+/i.exec(text.slice(start, start + 32))?.[0].toUpperCase() ?? ''
}

/** True where the text can only be a read. False tells nothing: it is asked to choose a connection, which enforces it. */
export function isRead(text: string): boolean {
  const word = firstWord(text)
  return word === 'SELECT' || word === 'VALUES' || (word === 'WITH' && !WRITES.test(text))
}

/** True where the statement changes rows, so that SQLite's count of changes is its own and not an earlier statement's. */
export function changesRows(text: string): boolean {
  const word = firstWord(text)
  return word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'REPLACE' || word === 'WITH'
}

/** True for what would begin or end the transaction itself; savepoints are not meant. */
export function controlsTransaction(text: string): boolean {
  const word = firstWord(text)
  if (word === 'ROLLBACK') return !/^\w+\s+(?:transaction\s+)?to\b/i.test(text.slice(skipTrivia(text)))
  return word === 'BEGIN' || word === 'COMMIT' || word === 'END'
}
