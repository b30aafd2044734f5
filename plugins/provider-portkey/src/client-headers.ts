import { SwitchyardError } from '@switchyard/contract'
import type { PortkeyOptions } from './options.ts'

/** Client headers handed on as they are: they carry correlation, not credentials. */
const HANDED_ON = [
  'x-portkey-trace-id',
  'x-portkey-span-id',
  'x-portkey-metadata',
  'x-portkey-strict-open-ai-compliance',
  'x-portkey-virtual-key',
] as const
/** Members of a config by which a client could choose where a request goes, or under whose name. */
const CLOSED =
  /(^|_)(custom_host|.*(key|token|secret|password|credential)s?|resource_name|region|endpoint_name|.*_url|account_id)$/

type Headers = Readonly<Record<string, string>>

/** By which headers a client picks the upstream itself. */
export const SELECTORS: readonly string[] = ['x-portkey-config', 'x-portkey-virtual-key', 'x-portkey-provider']

/**
 * What of a client's `x-portkey-*` headers goes on. Throws `FORBIDDEN` for what the options close: custom hosts always, configs that name
 * hosts or credentials, and `INVALID_REQUEST` for a config that is no JSON object.
 */
export function clientHeaders(headers: Headers | undefined, options: PortkeyOptions, instance: string): Record<string, string> {
  const out: Record<string, string> = {}
  if (headers === undefined) return out
  for (const name of HANDED_ON) if (headers[name] !== undefined) out[name] = headers[name]
  if (headers['x-portkey-custom-host'] !== undefined)
    throw forbidden(instance, 'x-portkey-custom-host: a client may not choose the host; set providers.*.customHost')
  const config = headers['x-portkey-config']
  if (config !== undefined) out['x-portkey-config'] = checkedConfig(config, options, instance)
  if (options.allowClientKeys && headers.authorization !== undefined && SELECTORS.some((name) => headers[name] !== undefined)) {
    out.authorization = headers.authorization
  }
  for (const name of options.forwardHeaders) if (headers[name] !== undefined) out[name] = headers[name]
  return out
}

function checkedConfig(config: string, options: PortkeyOptions, instance: string): string {
  if (!options.allowClientConfig) throw forbidden(instance, 'x-portkey-config is not accepted here (option allowClientConfig)')
  if (!config.trimStart().startsWith('{')) {
    if (options.apiKey !== undefined) return config
    throw invalid(instance, 'x-portkey-config must be a JSON object: saved ids are known to hosted Portkey only')
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(config)
  } catch {
    throw invalid(instance, 'x-portkey-config is not valid JSON')
  }
  const closed = closedMember(parsed)
  if (closed !== undefined && !(options.allowClientKeys && closed === 'api_key')) {
    throw forbidden(instance, `x-portkey-config: a client may not set ${closed}; the operator configures hosts and credentials`)
  }
  return config
}

function closedMember(node: unknown): string | undefined {
  if (Array.isArray(node)) return node.map(closedMember).find((found) => found !== undefined)
  if (typeof node !== 'object' || node === null) return undefined
  for (const [key, inner] of Object.entries(node)) {
    if (key === 'override_params') continue
    if (CLOSED.test(key)) return key
    const found = closedMember(inner)
    if (found !== undefined) return found
  }
  return undefined
}

function forbidden(instance: string, what: string): SwitchyardError {
  return new SwitchyardError('FORBIDDEN', `${instance}: ${what}`, { plugin: instance })
}

function invalid(instance: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${instance}: ${what}`, {
    plugin: instance,
    details: { param: 'x-portkey-config' },
  })
}
