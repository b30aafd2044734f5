import type { Bus } from '@switchyard/contract'

/** A bus that hands everything on at once, and can be broken. */
export interface FakeBus extends Bus {
  broken: boolean
  readonly published: readonly Uint8Array[]
  readonly listeners: ReadonlySet<(message: Uint8Array) => void>
}

/** Makes one for any number of nodes. */
export function fakeBus(): FakeBus {
  const listeners = new Set<(message: Uint8Array) => void>()
  const published: Uint8Array[] = []
  const bus: FakeBus = {
    capabilities: { shared: true },
    broken: false,
    published,
    listeners,
    async publish(_topic, message) {
      if (bus.broken) throw new Error('the bus is down')
      published.push(message)
      for (const listener of listeners) listener(message)
    },
    async subscribe(_topic, listener) {
      if (bus.broken) throw new Error('the bus is down')
      listeners.add(listener)
      return async () => void listeners.delete(listener)
    },
  }
  return bus
}
