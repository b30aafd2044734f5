import { SwitchyardError } from '@switchyard/contract'
import type { Dialect } from './dialect.ts'

/** What a parser knows better of the names in a read. */
export interface Narrowed {
  /** The tables, and names that it took for neither tables nor columns. */
  readonly unclear: ReadonlySet<string>
  /** The tables alone, without what the statement names for itself. */
  readonly tables: ReadonlySet<string>
}

/** Undefined where a parser does not understand the text. */
export type Narrowing = (text: string, names: ReadonlySet<string>) => Narrowed | undefined

interface Parsed {
  readonly tableList: readonly string[]
  readonly columnList: readonly string[]
  readonly ast: unknown
}

type ParserClass = new () => { parse(text: string, options: { readonly database: string }): Parsed }

const MODULES: Readonly<Record<Dialect, string>> = { sqlite: 'sqlite', postgres: 'postgresql', mysql: 'mysql' }
/** Beyond it a parse takes tens of milliseconds. */
const LONGEST_TEXT = 4_096
/** "select::schema::table": what is done to it, where, what. */
const PARTS = 3

/**
 * Loads the parser of a dialect, from the optional peer `node-sql-parser`; undefined where that is not installed. It tells columns from tables,
 * so that a write to a table does not end replies that only have a column of its name; what it takes for a table stays one, and so does what it
 * takes for neither.
 */
export async function loadNarrowing(dialect: Dialect): Promise<Narrowing | undefined> {
  const path = `node-sql-parser/build/${MODULES[dialect]}.js`
  let module: { readonly default: { readonly Parser: ParserClass } }
  try {
    module = await import(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw new SwitchyardError('CONFIG_INVALID', `cache: ${path} cannot be loaded; install node-sql-parser 5.4 or take it out`, {
      cause: error,
    })
  }
  const parser = new module.default.Parser()
  return (text, names) => {
    if (text.length > LONGEST_TEXT) return undefined
    try {
      const { tableList, columnList, ast } = parser.parse(text, { database: MODULES[dialect] })
      const tables = new Set(tableList.map(lastPart))
      const columns = new Set(columnList.map(lastPart))
      const named = new Set(namesGiven(ast))
      return {
        unclear: new Set([...names].filter((name) => tables.has(name) || !columns.has(name))),
        tables: new Set([...tables].filter((name) => !named.has(name))),
      }
    } catch {
      return undefined
    }
  }
}

function lastPart(entry: string): string {
  return entry
    .split('::')
    .slice(PARTS - 1)
    .join('::')
    .toLowerCase()
}

/** Names that WITH gives to queries. */
function namesGiven(ast: unknown): readonly string[] {
  const [statement] = Array.isArray(ast) ? ast : [ast]
  const given: unknown = (statement as { readonly with?: unknown } | undefined)?.with
  if (!Array.isArray(given)) return []
  return given.map((one) => String(one?.name?.value ?? one?.name ?? '').toLowerCase())
}
