import { SwitchyardError } from '@switchyard/contract'
import type { PortkeyOptions } from './options.ts'

/**
 * What a client may set, in Portkey's snake case. Everything else is closed, since Portkey's gateway takes far more from a config than
 * it documents: hosts, regions and resource names in either case, whose provider then gets our key; guardrails that post the request
 * to any URL; headers to forward; a cache that knows no tenants.
 */
const OPEN: ReadonlySet<string> = new Set([
  'strategy',
  'mode',
  'on_status_codes',
  'conditions',
  'query',
  'then',
  'default',
  'targets',
  'name',
  'weight',
  'provider',
  'override_params',
  'retry',
  'attempts',
  'use_retry_after_header',
  'request_timeout',
  'strict_open_ai_compliance',
])

/** Members whose inner names are the client's own. */
const OPAQUE: ReadonlySet<string> = new Set(['query', 'override_params'])

/** A client's config that may go on. */
export interface ClientConfig {
  readonly header: string
  /** Providers that it names; empty where it leaves the choice to the request, or is a saved config's id. */
  readonly slugs: readonly string[]
}

/** Throws `FORBIDDEN` for what the options or Switchyard close, and `INVALID_REQUEST` for a config that is no JSON object. */
export function clientConfig(config: string, options: PortkeyOptions, instance: string): ClientConfig {
  if (!options.allowClientConfig) {
    throw forbidden(instance, 'x-portkey-config is not accepted here (option allowClientConfig)')
  }
  if (!config.trimStart().startsWith('{')) {
    if (options.apiKey !== undefined) return { header: config, slugs: [] }
    throw invalid(instance, 'x-portkey-config must be a JSON object: saved ids are known to hosted Portkey only')
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(config)
  } catch {
    throw invalid(instance, 'x-portkey-config is not valid JSON')
  }
  const closed = closedMember(parsed, options.allowClientKeys)
  if (closed !== undefined) {
    const shown = JSON.stringify(closed.slice(0, 64))
    throw forbidden(instance, `x-portkey-config: a client may not set ${shown}; what it may set is ${[...OPEN].join(', ')}`)
  }
  return { header: config, slugs: slugsOf(parsed) }
}

/** Providers that a config names, at any depth, in the spelling of either case. */
export function slugsOf(config: unknown): readonly string[] {
  const found = new Set<string>()
  walk(config, (key, value) => {
    if (key === 'provider' && typeof value === 'string') found.add(value)
    return true
  })
  return [...found]
}

function closedMember(config: unknown, allowKeys: boolean): string | undefined {
  let closed: string | undefined
  walk(config, (key, _, spelled) => {
    if (OPEN.has(key) || (allowKeys && key === 'api_key')) return true
    closed ??= spelled
    return false
  })
  return closed
}

type Visit = (key: string, value: unknown, spelled: string) => boolean

/** Visits every member but those of opaque ones, keys in snake case. Nesting is bounded by the header's size. */
function walk(node: unknown, visit: Visit): void {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const inner of node) walk(inner, visit)
    return
  }
  for (const [spelled, value] of Object.entries(node)) {
    const key = spelled.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    if (visit(key, value, spelled) && !OPAQUE.has(key)) walk(value, visit)
  }
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
