import { SwitchyardError } from '@switchyard/contract'
import { clientConfig } from './client-config.ts'
import type { PortkeyOptions } from './options.ts'

/** Client headers handed on as they are: they carry correlation, not credentials. */
const HANDED_ON = [
  'x-portkey-trace-id',
  'x-portkey-span-id',
  'x-portkey-metadata',
  'x-portkey-strict-open-ai-compliance',
  'x-portkey-virtual-key',
] as const

type Headers = Readonly<Record<string, string>>

/** By which headers a client picks the upstream itself. */
export const SELECTORS: readonly string[] = ['x-portkey-config', 'x-portkey-virtual-key', 'x-portkey-provider']

/** What a client brought along. */
export interface FromClient {
  readonly headers: Headers
  /** Providers that its config names. */
  readonly slugs: readonly string[]
}

const NOTHING: FromClient = Object.freeze({ headers: Object.freeze({}), slugs: [] })

/**
 * What of a client's headers goes on. Throws `FORBIDDEN` for what the options close: custom hosts always, and members of a config that
 * are not open; `INVALID_REQUEST` for a config that is no JSON object.
 */
export function clientHeaders(given: Headers | undefined, options: PortkeyOptions, instance: string): FromClient {
  if (given === undefined) return NOTHING
  const headers: Record<string, string> = {}
  for (const name of HANDED_ON) if (given[name] !== undefined) headers[name] = given[name]
  if (given['x-portkey-custom-host'] !== undefined) {
    const message = 'x-portkey-custom-host: a client may not choose the host; set providers.*.customHost'
    throw new SwitchyardError('FORBIDDEN', `${instance}: ${message}`, { plugin: instance })
  }
  const config =
    given['x-portkey-config'] === undefined ? undefined : clientConfig(given['x-portkey-config'], options, instance)
  if (config !== undefined) headers['x-portkey-config'] = config.header
  if (options.allowClientKeys && given.authorization !== undefined && SELECTORS.some((name) => given[name] !== undefined)) {
    headers.authorization = given.authorization
  }
  for (const name of options.forwardHeaders) if (given[name] !== undefined) headers[name] = given[name]
  return { headers, slugs: config?.slugs ?? [] }
}
