import { hash } from 'node:crypto'

type Headers = Readonly<Record<string, string>>

/** Credentials that a client may bring for its provider: what the gateway's own key came in is not among a request's headers. */
const CARRIERS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'])
/** What providers know a client's wishes by. */
const PREFIXES = ['x-portkey-', 'openai-', 'anthropic-'] as const
/** Correlation, which changes no answer. */
const LEFT_OUT: ReadonlySet<string> = new Set(['x-portkey-trace-id', 'x-portkey-span-id'])
/** The same, but for the conditions of a client's config, which may choose the upstream by it. */
const METADATA = 'x-portkey-metadata'
const CONFIG = 'x-portkey-config'

/** Headers that may change an answer, since a provider may hand them on: their names, sorted. */
export function varyingHeaders(headers: Headers | undefined, more: ReadonlySet<string>): readonly string[] {
  if (headers === undefined) return NONE
  let names: string[] | undefined
  for (const name in headers) {
    if (!more.has(name) && !mayChange(name, headers)) continue
    names ??= []
    names.push(name)
  }
  return names?.sort() ?? NONE
}

function mayChange(name: string, headers: Headers): boolean {
  if (CARRIERS.has(name)) return true
  if (name === METADATA) return headers[CONFIG] !== undefined
  return PREFIXES.some((prefix) => name.startsWith(prefix)) && !LEFT_OUT.has(name)
}

/** A digest of those headers and what they say: they may be secrets. Empty where there are none. */
export function headersDigest(headers: Headers | undefined, more: ReadonlySet<string>): string {
  const names = varyingHeaders(headers, more)
  if (headers === undefined || names.length === 0) return ''
  return hash('sha256', JSON.stringify(names.map((name) => [name, headers[name]])), 'base64url')
}

const NONE: readonly string[] = Object.freeze([])
