import type { Token } from './tokens.ts'

/** Part of a statement that a token stands in: where rows are taken from, the condition of a join there, or another. */
type Clause = 'from' | 'on' | 'other'

const BEGINS: ReadonlyMap<string, Clause> = new Map([
  ...['from', 'join', 'straight_join', 'only', 'table', 'lateral', 'in'].map((word) => [word, 'from'] as const),
  ...['on', 'using'].map((word) => [word, 'on'] as const),
  ...[
    'select',
    'where',
    'group',
    'having',
    'order',
    'limit',
    'union',
    'except',
    'intersect',
    'set',
    'window',
    'values',
    'returning',
  ].map((word) => [word, 'other'] as const),
])

/**
 * Tells, of one token after the other, whether a name there may be a table that rows are taken from. Says so too often rather than too seldom:
 * at the beginning, behind IN, and behind a FROM that takes no rows.
 */
export function clauses(): (token: Token) => boolean {
  const outer: Clause[] = []
  let clause: Clause = 'from'
  let last = ''
  return ({ kind, value }) => {
    // What stands in IN ( ) are values, or a SELECT of their own.
    if (last === 'in' && value === '(' && kind === 'sign') clause = 'other'
    last = value
    if (kind === 'word') clause = BEGINS.get(value) ?? clause
    else if (kind === 'sign') {
      if (value === '(') outer.push(clause)
      else if (value === ')') clause = outer.pop() ?? 'from'
      else if (value === ',' && clause === 'on') clause = 'from'
    }
    return clause === 'from'
  }
}
