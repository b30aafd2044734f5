import { createHash } from 'node:crypto'
import type { OutcomeSet } from './outcomes.ts'

/** SHA-256 of what a fit depends on: the dataset's entry and every row, in order. Hexadecimal. */
export function dataHashOf({ spec, rows }: OutcomeSet): string {
  const hash = createHash('sha256').update(JSON.stringify(spec))
  for (const row of rows)
    hash.update(JSON.stringify([row.id, row.prompt, row.split, row.inTokens, row.functions, [...row.outcomes]]))
  return hash.digest('hex')
}
