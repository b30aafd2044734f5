import type { ConnectionOptions } from 'node:tls'
import { type Secret, SwitchyardError, secret } from '@switchyard/contract'
import type { CacheRedisOptions, RedisAddress } from './options.ts'

/** Where to connect, resolved from the URL and the options together. Holds no secret in clear. */
export interface Target {
  /** One node, or the nodes of a cluster to begin with, or the sentinels. */
  readonly kind: 'node' | 'cluster' | 'sentinel'
  readonly addresses: readonly RedisAddress[]
  readonly username: string | undefined
  readonly password: Secret | undefined
  readonly db: number
  readonly tls: boolean
  readonly clientName: string
}

function wrong(message: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `redis: ${message}`, cause === undefined ? {} : { cause })
}

/**
 * One target from the URL and the options. `instance` names the connection where nothing else does.
 * @throws SwitchyardError CONFIG_INVALID, never quoting the URL, which may hold a password.
 */
export function resolveTarget(options: CacheRedisOptions, instance: string): Target {
  const { url: hidden, host, cluster, sentinel, tls } = options
  const ways = Object.entries({ url: hidden, host, cluster, sentinel }).filter(([, value]) => value !== undefined)
  if (ways.length > 1)
    throw wrong(`${ways.map(([name]) => `\`${name}\``).join(' and ')} are given; leave all but one of them out`)
  if (options.port !== undefined && ways.some(([name]) => name !== 'host')) {
    throw wrong('`port` goes with `host` only; the other ways to say where Redis is name their own ports')
  }
  const url = hidden === undefined ? undefined : parseUrl(hidden.reveal())
  const db = options.db ?? dbOf(url) ?? 0
  if (cluster !== undefined && db !== 0) throw wrong('a Redis Cluster has the database 0 only; leave `db` out')
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    throw wrong('a client certificate needs both `tls.cert` and `tls.key`')
  if (tls?.enabled === false && url?.protocol === 'rediss:') throw wrong('`tls.enabled` is false, but the URL says rediss:')
  const password = decoded(url?.password)
  return {
    kind: cluster !== undefined ? 'cluster' : sentinel !== undefined ? 'sentinel' : 'node',
    addresses: cluster ?? sentinel?.nodes ?? [addressOf(url) ?? { host: host ?? 'localhost', port: options.port ?? 6379 }],
    username: options.username ?? decoded(url?.username),
    password: options.password ?? (password === undefined ? undefined : secret(password)),
    db,
    tls: tls?.enabled ?? (tls !== undefined || url?.protocol === 'rediss:'),
    clientName: options.clientName ?? `switchyard/${instance}`.replace(/[^!-~]/g, '_').slice(0, 100),
  }
}

/** What Node is to know of TLS, the key revealed; undefined where TLS is off. */
export function tlsOf({ tls }: CacheRedisOptions, target: Target): ConnectionOptions | undefined {
  if (!target.tls) return undefined
  return {
    rejectUnauthorized: true,
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key.reveal() }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
  }
}

function parseUrl(text: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw wrong('`url` is no URL; write redis://user:password@host:port/db, special characters percent-encoded')
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw wrong(`the URL’s scheme is ${url.protocol} and must be redis: or rediss:`)
  }
  if (url.search !== '') throw wrong('the URL has parameters, which none is known of; there are options for the rest')
  return url
}

function addressOf(url: URL | undefined): RedisAddress | undefined {
  if (url === undefined) return undefined
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost', port: url.port === '' ? 6379 : Number(url.port) }
}

function dbOf(url: URL | undefined): number | undefined {
  const path = url?.pathname.slice(1)
  if (path === undefined || path === '') return undefined
  if (!/^\d{1,7}$/.test(path)) throw wrong('the path of the URL must be the number of a database, as in redis://host:6379/2')
  return Number(path)
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw wrong('a part of the URL is wrongly percent-encoded; a literal % is written %25')
  }
}
