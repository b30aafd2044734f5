import type { Logger } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { toSwitchyardError } from '../errors.ts'

/** Tells the listeners of this node that their streams have more; one subscription a node, whatever the number of flights. */
export interface Doorbell {
  /** What stands before a node's name in the name of its channel. */
  readonly channels: string
  /** Calls `ring` when the stream has more, from when the promise resolves on; a ring may be lost, so look by yourself now and then. */
  hang(stream: string, ring: () => void): Promise<() => void>
}

/** Makes the doorbell of a node. It subscribes at the first listener, and stays subscribed. */
export function doorbell(subscriber: Client, keyPrefix: string, node: string, log: Pick<Logger, 'warn'>): Doorbell {
  const channels = `${keyPrefix}flights:`
  const own = channels + node
  const rings = new Map<string, Set<() => void>>()
  let subscribed: Promise<void> | undefined

  subscriber.on('messageBuffer', (channel: Buffer, stream: Buffer) => {
    if (rings.size === 0 || channel.toString() !== own) return
    for (const ring of rings.get(stream.toString()) ?? []) ring()
  })

  function subscribe(): Promise<void> {
    return subscriber.subscribe(own).then(
      () => {},
      (error: unknown) => {
        subscribed = undefined
        log.warn({ error: toSwitchyardError(error).message }, 'no subscription for shared calls: they are read late')
      },
    )
  }

  return {
    channels,
    async hang(stream, ring) {
      const hung = rings.get(stream) ?? new Set()
      rings.set(stream, hung.add(ring))
      subscribed ??= subscribe()
      await subscribed
      return () => {
        hung.delete(ring)
        if (hung.size === 0 && rings.get(stream) === hung) rings.delete(stream)
      }
    },
  }
}
