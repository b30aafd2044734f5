import type { SqlDatabase } from '@switchyard/contract'

/** Whose words and ways of quoting a text is read by. */
export type Dialect = SqlDatabase['capabilities']['dialect']
