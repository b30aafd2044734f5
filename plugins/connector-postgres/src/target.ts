import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type Secret, SwitchyardError, secret } from '@switchyard/contract'
import type { Password, PostgresOptions, TlsMode } from './options.ts'

/** Where to connect, resolved from the URL and the options together. Holds no secret in clear. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Password | undefined
  readonly tls: TargetTls
  readonly applicationName: string
}

export interface TargetTls {
  readonly mode: TlsMode
  readonly ca?: string
  readonly cert?: string
  readonly key?: Secret
  /** Name that the certificate must be for. */
  readonly serverName: string
}

const TLS_PARAMETERS = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey'])
const PARAMETERS = new Set([...TLS_PARAMETERS, 'host', 'application_name'])
/** Ends where a host would stand and none does: `postgres://ada@/x?host=/run/postgresql`. */
const UP_TO_NO_HOST = /^[a-z]+:\/\/(?:[^/?#]*@)?(?=(?::\d*)?(?:[/?#]|$))/i

function invalid(message: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `postgres: ${message}`, cause === undefined ? {} : { cause })
}

/**
 * One target from the URL and the options. The URL is read here and not by the driver, whose reading of `ssl...` parameters
 * would replace the TLS options. `instance` names the connection where nothing else does.
 * @throws SwitchyardError CONFIG_INVALID, never quoting the URL, which may hold a password.
 */
export function resolveTarget(options: PostgresOptions, instance: string): Target {
  const url = options.url === undefined ? undefined : parseUrl(options.url.reveal())
  if (url !== undefined) {
    for (const key of ['host', 'port', 'database', 'user'] as const) {
      if (options[key] !== undefined) throw invalid(`both \`url\` and \`${key}\` are given; leave one of them out`)
    }
  }
  const parameters = url?.searchParams ?? new URLSearchParams()
  for (const name of parameters.keys()) {
    if (!PARAMETERS.has(name)) {
      throw invalid(
        `the URL’s parameter ${name} is not known; known are ${[...PARAMETERS].join(', ')}. For the rest there are options`,
      )
    }
  }
  const host = options.host ?? parameters.get('host') ?? decoded(unbracket(url?.hostname)) ?? 'localhost'
  const user = options.user ?? decoded(url?.username)
  if (user === undefined) throw invalid('no user is given; set `user`, or name it in the URL')
  const password = decoded(url?.password)
  return {
    host,
    port: options.port ?? (url?.port ? Number(url.port) : 5432),
    database: options.database ?? decoded(url?.pathname.slice(1)) ?? user,
    user,
    password: options.password ?? (password === undefined ? undefined : secret(password)),
    tls: resolveTls(options, parameters, host),
    applicationName: options.applicationName ?? parameters.get('application_name') ?? `switchyard/${instance}`.slice(0, 63),
  }
}

/** An empty host beside a user or a port is allowed by libpq but refused by URL, so the default is written there first. */
function parseUrl(text: string): URL {
  let url: URL
  try {
    url = new URL(text.replace(UP_TO_NO_HOST, '$&localhost'))
  } catch {
    throw invalid('`url` is no URL; write postgres://user:password@host:port/database, special characters percent-encoded')
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw invalid(`the URL’s scheme is ${url.protocol} and must be postgres: or postgresql:`)
  }
  return url
}

function unbracket(hostname: string | undefined): string | undefined {
  return hostname?.replace(/^\[(.*)\]$/, '$1')
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('a part of the URL is wrongly percent-encoded; a literal % is written %25')
  }
}

function resolveTls({ tls = {} }: PostgresOptions, parameters: URLSearchParams, host: string): TargetTls {
  const fromUrl = Object.keys(tls).length === 0
  const file = (name: string): string | undefined => {
    const path = fromUrl ? parameters.get(name) : null
    if (path === null || path === 'system') return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw invalid(`the file that the URL names as ${name} cannot be read`, error)
    }
  }
  const ca = tls.ca ?? file('sslrootcert')
  const cert = tls.cert ?? file('sslcert')
  const keyText = file('sslkey')
  const key = tls.key ?? (keyText === undefined ? undefined : secret(keyText))
  if ((cert === undefined) !== (key === undefined)) throw invalid('a client certificate needs both its `cert` and its `key`')
  const mode =
    tls.mode ?? (fromUrl ? modeOfUrl(parameters.get('sslmode'), ca) : undefined) ?? (isLocal(host) ? 'disable' : 'verify-full')
  if (mode === 'disable' && (ca ?? cert) !== undefined) {
    throw invalid('certificates are given, but TLS is off for this host; set `tls.mode`, or sslmode in the URL')
  }
  return {
    mode,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    serverName: tls.serverName ?? host,
  }
}

/** As libpq reads it: `require` with an authority verifies that. `allow` and `prefer` may fall back to clear text: refused. */
function modeOfUrl(sslmode: string | null, ca: string | undefined): TlsMode | undefined {
  switch (sslmode) {
    case null:
      return ca === undefined ? undefined : 'verify-full'
    case 'disable':
    case 'verify-ca':
    case 'verify-full':
      return sslmode
    case 'no-verify':
      return 'require'
    case 'require':
      return ca === undefined ? 'require' : 'verify-ca'
    case 'allow':
    case 'prefer':
      throw invalid(
        `sslmode=${sslmode} may fall back to clear text without a word; choose disable, require, verify-ca or verify-full`,
      )
    default:
      throw invalid('the URL’s sslmode is not known; choose disable, require, verify-ca or verify-full')
  }
}

function isLocal(host: string): boolean {
  if (host.startsWith('/')) return true
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === 'localhost' || host === '::1'
}
