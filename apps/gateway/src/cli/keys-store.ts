import { bus, keys, type Plugin, type Port, SwitchyardError, secret, sql } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { type PlanOptions, planned } from './check.ts'
import { type KeysAt, remoteKeys } from './keys-remote.ts'

export interface WhereOptions extends PlanOptions {
  /** Of a gateway that runs; without it the configuration's database is opened. */
  readonly url?: string
}

const NEEDED: ReadonlySet<string> = new Set([keys.id, sql.id, bus.id])
const QUIET = { debug() {}, info() {}, warn() {}, error() {} }
const ADMIN_KEY = 'SWITCHYARD_ADMIN_KEY'

/** Does some work with keys: at a running gateway with the key in `SWITCHYARD_ADMIN_KEY`, or in the database of the configuration. */
export async function withKeys(options: WhereOptions, work: (at: KeysAt) => Promise<void>): Promise<void> {
  if (options.url !== undefined) {
    const adminKey = process.env[ADMIN_KEY]
    if (adminKey === undefined || adminKey === '')
      throw new SwitchyardError(
        'UNAUTHENTICATED',
        `set ${ADMIN_KEY} to an admin key of that gateway: a flag could be read by others`,
      )
    const remote = remoteKeys(options.url, secret(adminKey))
    await work(remote).finally(() => remote.close())
    return
  }
  // Only what keeps keys, and tells other nodes of them, is started.
  const plugins = (await planned(options)).assembly.plugins.filter(gives)
  if (!plugins.some((plugin) => portsOf(plugin).includes(keys.id)))
    throw new SwitchyardError('CONFIG_INVALID', 'no plugin of the configuration keeps keys: add @switchyard/access')
  const kernel = await startKernel({ plugins }, { log: QUIET })
  await work(kernel.get(keys)).finally(() => kernel.close())
}

function gives(plugin: Plugin): boolean {
  return portsOf(plugin).some((id) => NEEDED.has(id))
}

function portsOf({ definition }: Plugin): readonly string[] {
  return Object.values(definition.provides ?? {}).map((port) => (port as Port).id)
}
