import { once } from 'node:events'
import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import { abortError, toSwitchyardError } from './errors.ts'
import type { CacheRedisOptions } from './options.ts'
import { type Target, tlsOf } from './target.ts'

/** Who speaks with Redis, in whatever shape it stands. */
export type Client = Redis | Cluster

export interface ConnectionOptions {
  readonly clock: Pick<Clock, 'schedule'>
  readonly random: () => number
  readonly log: Pick<Logger, 'info' | 'warn'>
}

/** What the ports share. */
export interface Connection {
  /** For commands: it refuses at once what it cannot write, and never sends anything twice. */
  readonly client: Client
  /** For subscriptions, which it takes up again after a loss; connects at the first one. */
  readonly subscriber: Client
  /**
   * Makes a client for commands that block, with connections of its own: its commands wait for one another, and for the connection. It
   * connects at its first command; a command may block for `commandTimeoutMs`, beyond which its connection counts as dead. `close` cuts it.
   */
  blocking(): Client
  /** Connects within `connectTimeoutMs`, else rejects with the reason, and goes on trying until `close`. */
  connect(signal: AbortSignal): Promise<void>
  /** Cuts all. Idempotent. */
  close(): void
}

const LONGEST_PAUSE_MS = 2_000
/** Each attempt that fails is also an occasion to ask the others who has taken its place. */
const LONGEST_NODE_PAUSE_MS = 500
/** A reply that takes that many times the command's time does not come any more: the socket is dropped, and what waits on it. */
const SILENT_FOR = 2

/** Makes the clients of a target; nothing is opened yet. */
export function openConnection(target: Target, options: CacheRedisOptions, around: ConnectionOptions): Connection {
  const { clock, random, log } = around
  const pause = (times: number): number => Math.min(50 * 2 ** Math.min(times, 6), LONGEST_PAUSE_MS) * (0.5 + random() / 2)
  const { client, subscriber, blocking } =
    target.kind === 'cluster' ? clusterOf(target, options, pause) : nodeOf(target, options, pause)
  const all = new Set<Client>([client, subscriber])
  let lastError: unknown
  let down = false
  let closing = false

  for (const one of all) one.on('error', fail)
  client.on('ready', () => {
    if (down) log.info({ clientName: target.clientName }, 'redis answers again')
    down = false
  })
  client.on('close', () => fail(lastError))

  /** Said once for each time that it goes away, not at each attempt to come back. */
  function fail(error: unknown): void {
    lastError = error
    if (down || closing || client.status === 'ready') return
    down = true
    log.warn(
      { clientName: target.clientName, error: toSwitchyardError(error ?? new Error('Connection is closed.')).message },
      'redis is away',
    )
  }

  return {
    client,
    subscriber,
    blocking() {
      const made = blocking()
      made.on('error', fail)
      all.add(made)
      if (closing) made.disconnect()
      return made
    },
    connect: (signal) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => end(() => reject(abortError(signal)))
        const cancel = clock.schedule(options.connectTimeoutMs, () => end(() => reject(notConnected(lastError, options))))
        function end(say: () => void): void {
          cancel()
          signal.removeEventListener('abort', onAbort)
          say()
        }
        signal.addEventListener('abort', onAbort, { once: true })
        connectAll(client).then(
          () => end(resolve),
          (error: unknown) => end(() => reject(toSwitchyardError(lastError ?? error))),
        )
      }),
    close() {
      closing = true
      for (const one of all) one.disconnect()
    },
  }
}

/** A cluster calls itself connected once it knows its nodes; each of them refuses commands until it is connected too. */
async function connectAll(client: Client): Promise<void> {
  await client.connect()
  if (!(client instanceof Cluster)) return
  const connecting = client.nodes('master').map(async (node) => {
    if (node.status === 'wait') await node.connect()
    else if (node.status !== 'ready') await once(node, 'ready')
  })
  await Promise.all(connecting)
}

function notConnected(lastError: unknown, { connectTimeoutMs }: CacheRedisOptions): SwitchyardError {
  const why = lastError === undefined ? 'nothing answers' : toSwitchyardError(lastError).message
  const words = `redis: not connected within connectTimeoutMs, ${connectTimeoutMs} ms: ${why}`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', words, { details: { sent: false } })
}

/** The mapping is stated so that the constructors' types tell what replies look like. */
type Settings = RedisOptions & { readonly replyMapping: 'legacy' }

function ofEveryClient(target: Target, options: CacheRedisOptions): Settings {
  const tls = tlsOf(options, target)
  return {
    connectionName: target.clientName,
    connectTimeout: options.connectTimeoutMs,
    socketTimeout: options.commandTimeoutMs * SILENT_FOR,
    // RESP3 brings nothing that is used here.
    protocol: 2,
    replyMapping: 'legacy',
    lazyConnect: true,
    // A command that was lost may have been carried out: whoever sent it decides.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A master that became a replica refuses writes: connecting anew finds the next one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password.reveal() }),
    ...(tls === undefined ? {} : { tls }),
  }
}

interface Clients {
  readonly client: Client
  readonly subscriber: Client
  blocking(): Client
}

function nodeOf(target: Target, options: CacheRedisOptions, pause: (times: number) => number): Clients {
  const all: Settings = { ...ofEveryClient(target, options), db: target.db, retryStrategy: pause }
  const { sentinel } = options
  if (sentinel === undefined) Object.assign(all, target.addresses[0])
  else {
    Object.assign(all, {
      sentinels: [...sentinel.nodes],
      name: sentinel.master,
      sentinelRetryStrategy: pause,
      sentinelUsername: sentinel.username,
      sentinelPassword: sentinel.password?.reveal(),
      enableTLSForSentinelMode: sentinel.tls === true,
      ...(sentinel.tls === true ? { sentinelTLS: all.tls } : {}),
    })
  }
  return {
    client: new Redis({ ...all, enableOfflineQueue: false }),
    // The few subscriptions may wait for the connection; the guard bounds how long anybody waits for them.
    subscriber: new Redis(all),
    blocking: () => new Redis({ ...all, socketTimeout: options.commandTimeoutMs * (SILENT_FOR + 1) }),
  }
}

function clusterOf(target: Target, options: CacheRedisOptions, pause: (times: number) => number): Clients {
  const settings = {
    lazyConnect: true,
    enableOfflineQueue: false,
    // It would ask by a node that is still connecting, which refuses; a cluster that is down says so to every command.
    enableReadyCheck: false,
    clusterRetryStrategy: pause,
    clusterNodeRetryStrategy: (times) => Math.min(pause(times), LONGEST_NODE_PAUSE_MS),
    slotsRefreshTimeout: options.connectTimeoutMs,
    slotsRefreshInterval: 5_000,
    // Both would send again what may have been carried out.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: ofEveryClient(target, options),
  } satisfies ClusterOptions
  const client = new Cluster([...target.addresses], settings)
  // Nodes connect at their first command, and refuse others meanwhile; so they connect before one comes.
  client.on('+node', (node: Redis) => {
    if (node.status === 'wait') node.connect().catch(() => {})
  })
  askWhoIsMaster(client)
  const redisOptions = { ...settings.redisOptions, socketTimeout: options.commandTimeoutMs * (SILENT_FOR + 1) }
  return {
    client,
    subscriber: client,
    // It connects to those nodes alone that it has commands for.
    blocking: () => askWhoIsMaster(new Cluster([...target.addresses], { ...settings, enableOfflineQueue: true, redisOptions })),
  }
}

/** A cluster that lost a node knows soon who serves its slots now; asked each five seconds only, the client would know too late. */
function askWhoIsMaster(cluster: Cluster<'legacy'>): Cluster<'legacy'> {
  return cluster.on('node error', () => cluster.refreshSlotsCache(() => {}))
}
