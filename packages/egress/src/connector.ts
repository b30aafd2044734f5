import { lookup as systemLookup } from 'node:dns'
import { isIP, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Clock } from '@switchyard/contract'
import { buildConnector, errors } from 'undici'
import { type AddressRules, refusalOf } from './addresses.ts'
import { refusedError } from './errors.ts'

/** One answer of a resolver. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Resolves a host name to all of its addresses; rejects with an error of `node:dns`. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** Trust and identity for TLS: private certificate authorities and client certificates. Verification cannot be switched off. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'>

/** Opens a vetted socket; the socket is returned before it is connected, so that an abort can destroy it. */
export type GuardedConnector = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | undefined

export interface ConnectorOptions {
  readonly rules: AddressRules
  readonly connectTimeoutMs: number
  readonly clock: Clock
  readonly lookup: Lookup
  readonly tls: TlsOptions | undefined
  readonly plugin: string | undefined
}

type NetCallback = (error: Error | null, addresses?: readonly ResolvedAddress[] | string, family?: number) => void

/**
 * The guard, where no spelling gets around it: an address literal is checked here, since a lookup hook is never called for one;
 * a name is resolved once, every answer must be open, and the socket connects to those answers and to no other. Host header and
 * SNI stay the name's. DNS, TCP and TLS share one bound. Fails with `POLICY_REFUSED`.
 */
export function guardedConnector(options: ConnectorOptions): GuardedConnector {
  const { rules, lookup, clock, connectTimeoutMs, plugin } = options
  const vet = async (hostname: string): Promise<readonly ResolvedAddress[]> => {
    const answers = await lookup(hostname)
    if (answers.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
    for (const { address } of answers) {
      const why = refusalOf(address, rules)
      if (why !== undefined) throw refusedError(plugin, hostname, why)
    }
    return answers
  }

  const connect = buildConnector({
    ...options.tls,
    allowH2: false,
    timeout: 0,
    lookup: (hostname: string, { all }: { all?: boolean }, callback: NetCallback): void => {
      vet(hostname).then(
        (answers) => {
          const [first] = answers
          if (all === true) callback(null, answers)
          else callback(null, first?.address as string, first?.family as number)
        },
        (error: Error) => callback(error),
      )
    },
  } as buildConnector.BuildOptions) as unknown as (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

  return (target, callback) => {
    const why = isIP(target.hostname) === 0 ? undefined : refusalOf(target.hostname, rules)
    if (why !== undefined) {
      queueMicrotask(() => callback(refusedError(plugin, target.hostname, why), null))
      return undefined
    }
    const socket = connect(target, (...result) => {
      stop()
      callback(...result)
    })
    const stop = clock.schedule(connectTimeoutMs, () => socket.destroy(new errors.ConnectTimeoutError()))
    socket.once('close', stop)
    return socket
  }
}

/** The resolver of the system, hosts file included: `getaddrinfo` with every answer, in its order. */
export function systemResolver(hostname: string): Promise<readonly ResolvedAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, answers) => {
      if (error === null) resolve(answers as ResolvedAddress[])
      else reject(error)
    })
  })
}
