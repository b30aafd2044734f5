import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { beforeEach } from 'vitest'
import { type NotRun, notRunLine, postgresForTests } from '../../../../scripts/services/index.ts'

const outcome = await postgresForTests()

/** The server that the run shares; its tests are skipped, by name, where there is none. */
export const serverUrl: string | undefined = outcome.status === 'ready' ? outcome.url : undefined

/** Skips the tests of a block or file with a note that names the server and says why it is not there. */
export function needs(server: { readonly status: 'ready' } | NotRun): void {
  if (server.status === 'not-run') beforeEach((context) => context.skip(notRunLine(server)))
}

/** Skips the tests of a block or file where the run has no server to share. */
export function needsServer(): void {
  needs(outcome)
}

/** Runs one statement beside the plugin, by the driver itself. */
export async function aside<R extends pg.QueryResultRow>(
  text: string,
  params: readonly unknown[] = [],
  url = serverUrl as string,
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(text, [...params])).rows
  } finally {
    await client.end()
  }
}

/** A schema of the test's own. */
export async function freshSchema(): Promise<{ readonly schema: string; drop(): Promise<void> }> {
  const schema = `switchyard_${randomBytes(6).toString('hex')}`
  await aside(`CREATE SCHEMA ${schema}`)
  return {
    schema,
    async drop() {
      await aside(`DROP SCHEMA ${schema} CASCADE`)
    },
  }
}
