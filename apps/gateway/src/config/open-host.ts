import { access, type Plugin, type Port, SwitchyardError } from '@switchyard/contract'
import type { Settings } from './settings.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

/** Whether a server that listens there is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** Whether one of the plugins keeps keys, or takes tokens. */
export function keepsKeys(plugins: readonly Plugin[]): boolean {
  return plugins.some(({ definition }) =>
    Object.values(definition.provides ?? {}).some((port) => (port as Port).id === access.id),
  )
}

/** What nobody types from a page of examples, and nobody finds by trying. */
const MIN_LENGTH = 16
const MIN_DISTINCT = 8

/**
 * Throws `CONFIG_INVALID` where other machines could call without a key, as far as that is known before anything starts: a plugin that
 * keeps keys may have one; or with one that can be guessed. `host` is where the server listens.
 */
export function refuseOpenHost(host: string, { keys }: Settings['auth'], keptByPlugin: boolean): void {
  if (isLoopback(host)) return
  const weak = keys.findIndex(({ key }) => isWeak(key.reveal()))
  if (weak !== -1)
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `server.host ${host} lets other machines in, and auth.keys[${weak}] can be guessed: it needs ${MIN_LENGTH} characters or more, ` +
        'such as "openssl rand -base64 32" gives, or listen on 127.0.0.1',
    )
  if (keys.length > 0 || keptByPlugin) return
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `server.host ${host} lets other machines in, but auth.keys is empty: list at least one key, or listen on 127.0.0.1`,
  )
}

function isWeak(key: string): boolean {
  return key.length < MIN_LENGTH || new Set(key).size < MIN_DISTINCT
}

/** The refusal of an open host once it is known that there is no key anywhere. */
export function noKeyYet(host: string): SwitchyardError {
  return new SwitchyardError(
    'CONFIG_INVALID',
    `server.host ${host} lets other machines in, but there is no key yet: create one on this machine with ` +
      '"switchyard keys create --admin", list one in auth.keys, or listen on 127.0.0.1',
  )
}
