import { acquireService } from './acquire.ts'
import { hasOpenssl } from './certificates.ts'
import type { NotRun, Outcome } from './contract.ts'
import { findPrograms, type PrivateOptions, type PrivatePostgres, startPostgres } from './postgres.ts'
import { endLeftovers } from './records.ts'

/** The run's PostgreSQL. Tests share it: each makes a schema or database of its own, randomly named, and removes it. */
export function postgresForTests(): Promise<Outcome> {
  return acquireService('postgres')
}

/** A PostgreSQL that this test may harm. The caller stops it; it ends with the process in any case. */
export async function privatePostgres(
  options: PrivateOptions = {},
): Promise<({ readonly status: 'ready' } & PrivatePostgres) | NotRun> {
  const notRun = (because: string, missing = 'postgresql'): NotRun => ({
    status: 'not-run',
    name: 'postgres',
    because,
    get: `installing the package ${missing}`,
  })
  if ((process.env.SWITCHYARD_WITHOUT ?? '').split(',').includes('postgres')) return notRun('SWITCHYARD_WITHOUT names it')
  const programs = findPrograms()
  if (programs === undefined) return notRun('a server of its own is needed here, and the programs are not installed')
  if (options.tls === true && !hasOpenssl())
    return notRun('its TLS needs certificates, and openssl is not installed', 'openssl')
  await endLeftovers()
  return { status: 'ready', ...(await startPostgres(programs, false, options)) }
}
