import type { Socket } from 'node:net'
import type { SwitchyardError } from '@switchyard/contract'
import { Client, type Dispatcher } from 'undici'
import type { GuardedConnector } from './connector.ts'
import { egressError } from './errors.ts'
import type { EgressPolicy } from './policy.ts'

/** One socket's worth of an origin: an undici client that carries one request at a time. */
export interface Slot {
  readonly client: Client
  /** The request it carries; undefined while idle. */
  request: PooledRequest | undefined
  /** Requests written to the present socket. */
  served: number
  /** The socket from the start of its connection on, so that it can be destroyed while that lasts. */
  socket: Socket | undefined
  connected: boolean
}

/** A request as the pool sees it. */
export interface PooledRequest extends Dispatcher.DispatchHandler {
  readonly dispatchOptions: Dispatcher.DispatchOptions
  /** Set by the pool before the request is dispatched. */
  slot: Slot | undefined
  /** Ends the request, wherever it stands, with that error. */
  cancel(error: SwitchyardError): void
}

/** Sockets of an egress by state, and its requests that wait for one. */
export interface PoolCounts {
  readonly open: number
  readonly connecting: number
  readonly busy: number
  readonly queued: number
}

/**
 * The sockets of one origin. Ours rather than undici's Pool, because a request that is aborted while it waits or connects has to
 * leave at once, the queue has to be bounded, and a retry has to know whether its socket was used before.
 */
export class OriginPool {
  readonly origin: string
  /** True once the last socket was gone and the egress forgot the pool. */
  retired = false
  readonly #policy: EgressPolicy
  readonly #plugin: string | undefined
  readonly #connector: GuardedConnector
  readonly #onRetired: (pool: OriginPool) => void
  readonly #slots = new Set<Slot>()
  readonly #idle: Slot[] = []
  readonly #waiting = new Set<PooledRequest>()

  constructor(
    origin: string,
    policy: EgressPolicy,
    plugin: string | undefined,
    connector: GuardedConnector,
    onRetired: (pool: OriginPool) => void,
  ) {
    this.origin = origin
    this.#policy = policy
    this.#plugin = plugin
    this.#connector = connector
    this.#onRetired = onRetired
  }

  /** Dispatches on the idle socket that was used last, or on a new one, or queues; `fresh` asks for a new one. Throws `OVERLOADED`. */
  run(request: PooledRequest, fresh = false): void {
    const slot =
      (fresh ? undefined : this.#idle.pop()) ?? (this.#slots.size < this.#policy.connections ? this.#open() : undefined)
    if (slot !== undefined) {
      dispatch(slot, request)
    } else if (this.#waiting.size < this.#policy.maxQueued) {
      this.#waiting.add(request)
    } else {
      const { connections, maxQueued } = this.#policy
      const message = `${this.origin}: ${connections} sockets are busy and ${maxQueued} requests wait; raise connections or maxQueued`
      throw egressError(this.#plugin, 'OVERLOADED', message, { sent: false, origin: this.origin })
    }
  }

  /** The reply is complete: its socket serves the next request, or idles. */
  release(slot: Slot): void {
    slot.request = undefined
    for (const request of this.#waiting) {
      this.#waiting.delete(request)
      dispatch(slot, request)
      return
    }
    this.#idle.push(slot)
  }

  /** The request failed: its socket is closed, also while it is being opened, and the next waiter gets a new one. */
  drop(slot: Slot): void {
    slot.request = undefined
    if (!this.#remove(slot)) return
    // undici is in the midst of failing this client's queue; destroying it has to wait until that is done.
    queueMicrotask(() => {
      slot.client.destroy(noop)
      slot.socket?.destroy()
    })
    for (const request of this.#waiting) {
      this.#waiting.delete(request)
      dispatch(this.#open(), request)
      return
    }
    this.#retireIfEmpty()
  }

  /** Takes out a request that has not been written: one that waits, or whose socket is being opened. */
  abandon(request: PooledRequest): void {
    if (!this.#waiting.delete(request) && request.slot !== undefined) this.drop(request.slot)
  }

  counts(): PoolCounts {
    let open = 0
    let connecting = 0
    for (const slot of this.#slots) {
      if (slot.connected) open++
      else if (slot.request !== undefined) connecting++
    }
    return { open, connecting, busy: this.#slots.size - this.#idle.length, queued: this.#waiting.size }
  }

  /** Ends every request with that error and closes every socket; resolves when they are closed. */
  async close(error: SwitchyardError): Promise<void> {
    for (const request of [...this.#waiting]) request.cancel(error)
    const clients = [...this.#slots].map((slot) => slot.client)
    for (const slot of [...this.#slots]) slot.request?.cancel(error)
    await Promise.all(clients.map((client) => client.destroy()))
  }

  #open(): Slot {
    const { maxHeaderBytes, keepAliveTimeoutMs } = this.#policy
    const client = new Client(this.origin, {
      connect: (options, callback) => {
        slot.socket = this.#connector(options, callback)
      },
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: keepAliveTimeoutMs,
    })
    const slot: Slot = { client, request: undefined, served: 0, socket: undefined, connected: false }
    client.on('connect', () => {
      slot.connected = true
      slot.served = 0
    })
    client.on('disconnect', () => {
      slot.connected = false
      if (slot.request === undefined) this.#discardIdle(slot)
    })
    this.#slots.add(slot)
    return slot
  }

  /** An idle socket was closed, by the peer or for its age. */
  #discardIdle(slot: Slot): void {
    if (!this.#remove(slot)) return
    slot.client.destroy(noop)
    this.#retireIfEmpty()
  }

  #remove(slot: Slot): boolean {
    const index = this.#idle.lastIndexOf(slot)
    if (index !== -1) this.#idle.splice(index, 1)
    return this.#slots.delete(slot)
  }

  #retireIfEmpty(): void {
    if (this.#slots.size > 0 || this.retired) return
    this.retired = true
    this.#onRetired(this)
  }
}

function dispatch(slot: Slot, request: PooledRequest): void {
  slot.request = request
  request.slot = slot
  slot.client.dispatch(request.dispatchOptions, request)
}

function noop(): void {}
