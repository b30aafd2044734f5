import { clauses } from './clauses.ts'
import type { Dialect } from './dialect.ts'
import { type Token, tokensOf } from './tokens.ts'
import {
  CHANGING,
  NO_FUNCTIONS,
  NO_FUNCTIONS_BEHIND,
  PURE,
  RESERVED,
  RESERVED_BY_DIALECT,
  SQLITE_DATES,
  UNSTEADY,
  UNSTEADY_WORDS,
} from './words.ts'

/** What a statement reads or changes, as far as its text tells. Names are in lower case. */
export type Statement =
  | {
      readonly kind: 'read'
      /** Every name in the text that may be a table's: those of the tables, and others. */
      readonly names: ReadonlySet<string>
      /** Those of them that may stand where rows are taken from, whatever a parser says. */
      readonly places: ReadonlySet<string>
    }
  | { readonly kind: 'write' /** Undefined: any table. */; readonly table: string | undefined }
  | { readonly kind: 'bypass'; readonly reason: 'operation' | 'not-deterministic' | 'tables-unknown' }

/** What the operator says of functions that are not known here, by name in lower case. */
export interface KnownFunctions {
  readonly pure: ReadonlySet<string>
  readonly harmless: ReadonlySet<string>
}

/** Names in a read at most. */
const MOST_NAMES = 64
/** Beyond it a look takes tens of milliseconds, in which nobody else is served. */
const LONGEST_TEXT = 131_072
const ANY: Statement = { kind: 'write', table: undefined }
const LOCKING: ReadonlySet<string> = new Set(['update', 'share', 'no', 'key'])
/** Texts that PostgreSQL and SQLite take for the present day. */
const UNSTEADY_TEXT = /\b(?:now|today|tomorrow|yesterday)\b/
const TABLE_OF_SERVER = /^(?:pg_|sqlite_)/
const SCHEMA_OF_SERVER = /^(?:information_schema|performance_schema|sys|mysql|temp)$/
/** Longer ones are not looked at. PostgreSQL's have 63 bytes, MySQL's 64 characters. */
const LONGEST_NAME = 128
/** Where SQLite may take a text for the name of a table. */
const PLACES: ReadonlySet<string> = new Set(['from', 'join', ',', '(', '.'])

/** Whether a text, of the statement or a parameter, may stand for another day each day. */
export function mayMeanNow(text: string): boolean {
  return text.length < 64 && UNSTEADY_TEXT.test(text.toLowerCase())
}

/**
 * What a text reads or changes. No grammar is asked: a table that a statement reads stands in it as a name, so that every name counts as one
 * unless no table can be called so. Whatever is not surely a read counts as a write, and a write of unknown reach as one of everything.
 */
export function statementOf(text: string, dialect: Dialect, known: KnownFunctions): Statement {
  const all = text.length > LONGEST_TEXT ? undefined : tokensOf(text, dialect)
  if (all === undefined) return ANY
  const tokens = withoutEnd(all)
  if (tokens.some(({ kind, value }) => kind === 'sign' && value === ';')) return ANY
  const first = tokens.find(({ value }) => value !== '(')
  if (first === undefined || first.kind !== 'word') return ANY
  switch (first.value) {
    case 'select':
    case 'with':
    case 'values':
    case 'table':
      return readOf(tokens, dialect, known)
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
      return writeOf(tokens, first.value, dialect, known)
    case 'show':
    case 'describe':
    case 'desc':
    case 'explain':
      return tokens.some(({ value }) => value === 'analyze' || value === 'analyse') ? ANY : bypass('operation')
    default:
      return ANY
  }
}

function bypass(reason: (Statement & { kind: 'bypass' })['reason']): Statement {
  return { kind: 'bypass', reason }
}

function withoutEnd(tokens: readonly Token[]): readonly Token[] {
  let end = tokens.length
  while (end > 0 && tokens[end - 1]?.value === ';' && tokens[end - 1]?.kind === 'sign') end -= 1
  return tokens.slice(0, end)
}

function readOf(tokens: readonly Token[], dialect: Dialect, known: KnownFunctions): Statement {
  const functions = functionsIn(tokens, dialect, known)
  if (functions === 'unknown') return ANY
  const names = new Set<string>()
  const places = new Set<string>()
  const clauseAt = clauses()
  let reason: (Statement & { kind: 'bypass' })['reason'] | undefined =
    functions === 'unsteady' ? 'not-deterministic' : undefined
  for (const [at, token] of tokens.entries()) {
    const { kind, value } = token
    const takesRows = clauseAt(token)
    const before = tokens[at - 1]
    const isMember = before?.value === '.' && before.kind === 'sign'
    if (kind === 'word' && !isMember) {
      const next = tokens[at + 1]
      const opens = isOpening(next)
      if (value === 'for' && next?.kind === 'word' && LOCKING.has(next.value)) return bypass('operation')
      if (value === 'lock' && next?.value === 'in') return bypass('operation')
      if (CHANGING.has(value) && !opens && before?.value !== 'as') return ANY
      if (isUnsteadyWord(value, dialect)) reason ??= 'not-deterministic'
    }
    if (kind === 'sign' && value === '@' && dialect === 'mysql') reason ??= 'not-deterministic'
    if (kind === 'text' && mayMeanNow(value)) reason ??= 'not-deterministic'
    if (isName(tokens, at, dialect)) {
      if (TABLE_OF_SERVER.test(value) || (SCHEMA_OF_SERVER.test(value) && tokens[at + 1]?.value === '.')) reason ??= 'operation'
      if (value.length > LONGEST_NAME) reason ??= 'tables-unknown'
      names.add(value)
      if (takesRows) places.add(value)
    }
  }
  if (reason !== undefined) return bypass(reason)
  return names.size > MOST_NAMES ? bypass('tables-unknown') : { kind: 'read', names, places }
}

function isUnsteadyWord(value: string, dialect: Dialect): boolean {
  return UNSTEADY_WORDS.has(value) || (dialect === 'postgres' && value === 'user')
}

/** Whether a table may be meant. SQLite takes a text for a name where it wants one. */
function isName(tokens: readonly Token[], at: number, dialect: Dialect): boolean {
  const { kind, value } = tokens[at] as Token
  const before = tokens[at - 1]
  if (kind === 'sign') return false
  if (kind === 'text') return dialect === 'sqlite' && before !== undefined && PLACES.has(before.value)
  // An alias or a type.
  if (before?.kind === 'word' && before.value === 'as') return false
  if (before?.value === '::' && dialect === 'postgres') return false
  // Its functions are known.
  if (value === 'pg_catalog' && isOpening(tokens[at + 3])) return false
  if (kind !== 'word' || before?.value === '.') return true
  if (isOpening(tokens[at + 1])) {
    if (NO_FUNCTIONS.has(value)) return false
    if (PURE.has(value)) return isPlace(before)
  }
  return !RESERVED.has(value) && !RESERVED_BY_DIALECT[dialect].has(value)
}

/** Whether what comes next is where rows are taken from: `FROM lower (` would be a table with a hint, or a function. */
function isPlace(before: Token | undefined): boolean {
  return before?.kind === 'word' && (before.value === 'from' || before.value === 'join' || before.value === 'only')
}

function isOpening(token: Token | undefined): boolean {
  return token?.kind === 'sign' && token.value === '('
}

type Found = 'pure' | 'unsteady' | 'unknown'

/** The worst of the functions that are called. One that is not known may change anything; SQLite's are its own, and change nothing. */
function functionsIn(tokens: readonly Token[], dialect: Dialect, known: KnownFunctions): Found {
  let found: Found = 'pure'
  for (let at = 0; at < tokens.length; at += 1) {
    if (!isCall(tokens, at, dialect)) continue
    const one = functionAt(tokens, at, dialect, known)
    if (one === 'unknown') return one
    if (one === 'unsteady') found = one
  }
  return found
}

function isCall(tokens: readonly Token[], at: number, dialect: Dialect): boolean {
  const { kind, value } = tokens[at] as Token
  if (!isOpening(tokens[at + 1]) || (kind !== 'word' && kind !== 'name')) return false
  const before = tokens[at - 1]
  if (before?.kind === 'sign') {
    // Nothing is called right behind a bracket: OVER, FILTER, or the columns of an alias.
    if (before.value === ')') return false
    if (before.value === '::' && dialect === 'postgres') return false
    if (before.value === '.') return true
  }
  // The columns of a common table expression, or of an alias; a type.
  if (before?.kind === 'word' && (before.value === 'with' || before.value === 'recursive' || before.value === 'as'))
    return false
  if (kind === 'name') return true
  return !NO_FUNCTIONS.has(value) && NO_FUNCTIONS_BEHIND.get(value)?.has(before?.value ?? '') !== true
}

function functionAt(tokens: readonly Token[], at: number, dialect: Dialect, { pure, harmless }: KnownFunctions): Found {
  const { kind, value } = tokens[at] as Token
  // One of a schema of the user's own may have any name.
  const isBuiltIn = kind === 'word' && (tokens[at - 1]?.value !== '.' || tokens[at - 2]?.value === 'pg_catalog')
  if (pure.has(value)) return 'pure'
  if (dialect === 'sqlite' && SQLITE_DATES.has(value)) return 'unsteady'
  if (isBuiltIn && PURE.has(value)) return 'pure'
  return harmless.has(value) || dialect === 'sqlite' || (isBuiltIn && UNSTEADY.has(value)) ? 'unsteady' : 'unknown'
}

/** The table that a write changes stands behind its first words; whatever else a statement may do beside makes it a write of everything. */
function writeOf(tokens: readonly Token[], verb: string, dialect: Dialect, known: KnownFunctions): Statement {
  const start = tokens.findIndex((token) => token.kind === 'word' && token.value === verb)
  const at = start === 0 ? placeOf(tokens, verb, dialect) : undefined
  if (at === undefined) return ANY
  let end = at
  while (tokens[end + 1]?.value === '.' && tokens[end + 1]?.kind === 'sign') end += 2
  const table = tokens[end]
  if (table === undefined || table.kind === 'sign' || (table.kind === 'text' && dialect !== 'sqlite')) return ANY
  const rest = tokens.slice(end + 1)
  // Between an UPDATE's table and its SET there is an alias at most, and what names an index.
  if (verb === 'update' && rest.slice(0, 5).every(({ value }) => value !== 'set') && dialect !== 'mysql') return ANY
  const list = verb === 'insert' || verb === 'replace' ? afterColumns(rest) : rest
  if (functionsIn(list, dialect, known) === 'unknown' || list.some((token, index) => changesMore(list, index, token)))
    return ANY
  if (dialect === 'mysql' && (verb === 'update' || verb === 'delete') && namesSeveral(tokens, end)) return ANY
  return { kind: 'write', table: table.value }
}

/** Reserved words of MySQL that may stand before the table. */
const MODIFIERS: ReadonlySet<string> = new Set(['low_priority', 'high_priority', 'delayed', 'ignore'])

/** Where the name of the table begins. */
function placeOf(tokens: readonly Token[], verb: string, dialect: Dialect): number | undefined {
  const wanted = verb === 'update' ? undefined : verb === 'delete' ? 'from' : 'into'
  let at = 1
  if (tokens[at]?.value === 'or') at += 2
  if (dialect === 'mysql') while (MODIFIERS.has(tokens[at]?.value ?? '')) at += 1
  if (wanted !== undefined) {
    if (tokens[at]?.value !== wanted) return undefined
    at += 1
  }
  if (tokens[at]?.kind === 'word' && tokens[at]?.value === 'only') at += tokens[at + 1]?.value === '(' ? 2 : 1
  return at
}

/** The columns that a row is put into look like the arguments of a function. */
function afterColumns(rest: readonly Token[]): readonly Token[] {
  if (!isOpening(rest[0])) return rest
  return rest.slice(rest.findIndex(({ value }) => value === ')') + 1)
}

const UPSERT: ReadonlySet<string> = new Set(['do', 'key', 'for'])

function changesMore(tokens: readonly Token[], at: number, { kind, value }: Token): boolean {
  if (kind !== 'word' || !CHANGING.has(value) || isOpening(tokens[at + 1])) return false
  const before = tokens[at - 1]?.value
  if (before === '.') return false
  // ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE, FOR UPDATE.
  return value !== 'update' || before === undefined || !UPSERT.has(before)
}

/** MySQL changes several tables with one UPDATE or DELETE, and joins say which. */
function namesSeveral(tokens: readonly Token[], end: number): boolean {
  const set = tokens.findIndex(({ kind, value }) => kind === 'word' && (value === 'set' || value === 'where'))
  const head = tokens.slice(end + 1, set < 0 ? tokens.length : set)
  return head.some(
    ({ value }) => value === ',' || value === 'join' || value === 'using' || value === 'from' || value === 'straight_join',
  )
}
