import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { notRunLine, postgresForTests } from '../../../../scripts/services/index.ts'

const outcome = await postgresForTests()

/** The server that the run shares; its tests are skipped, by name, where there is none. */
export const serverUrl: string | undefined = outcome.status === 'ready' ? outcome.url : undefined

/** Ends a block's title: nothing where there is a server, else why its tests are skipped. */
export const notRun: string = outcome.status === 'ready' ? '' : ` (${notRunLine(outcome)})`

/** Runs one statement beside the plugin, by the driver itself. */
export async function aside<R extends pg.QueryResultRow>(text: string, params: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: serverUrl as string })
  await client.connect()
  try {
    return (await client.query<R>(text, params)).rows
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
