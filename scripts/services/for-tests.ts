import { acquireService } from './acquire.ts'
import type { NotRun, Outcome } from './contract.ts'
import { findPrograms, type PrivateOptions, type PrivatePostgres, startPostgres } from './postgres.ts'

/** The run's PostgreSQL. Tests share it: each makes a schema or database of its own, randomly named, and removes it. */
export function postgresForTests(): Promise<Outcome> {
  return acquireService('postgres')
}

/** A PostgreSQL that this test may harm. The caller stops it; it ends with the process in any case. */
export async function privatePostgres(
  options: PrivateOptions = {},
): Promise<({ readonly status: 'ready' } & PrivatePostgres) | NotRun> {
  const because = (words: string): NotRun => ({
    status: 'not-run',
    name: 'postgres',
    because: words,
    get: 'installing the package postgresql',
  })
  if ((process.env.SWITCHYARD_WITHOUT ?? '').split(',').includes('postgres')) return because('SWITCHYARD_WITHOUT names it')
  const programs = findPrograms()
  if (programs === undefined) return because('a server of its own is needed here, and the programs are not installed')
  return { status: 'ready', ...(await startPostgres(programs, false, options)) }
}
