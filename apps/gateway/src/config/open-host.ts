import { SwitchyardError } from '@switchyard/contract'
import type { Settings } from './settings.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

/** Throws `CONFIG_INVALID` where other machines could call without a key. `host` is where the server listens. */
export function refuseOpenHost(host: string, { keys }: Settings['auth']): void {
  if (keys.length > 0 || LOOPBACK.test(host)) return
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `server.host ${host} lets other machines in, but auth.keys is empty: list at least one key, or listen on 127.0.0.1`,
  )
}
