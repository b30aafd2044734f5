export { type SqliteInput, type SqliteOptions, sqliteOptions } from './options.ts'
export { sqlite } from './plugin.ts'
export type { SqliteDatabase, SqliteStats } from './sqlite-database.ts'
