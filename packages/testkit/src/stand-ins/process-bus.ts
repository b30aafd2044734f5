import type { Bus } from '@switchyard/contract'

/** A bus within one test that can be made to fail. */
export interface ProcessBus extends Bus {
  /** What was published, oldest first. */
  readonly sent: readonly Uint8Array[]
  /** While false, messages are lost. */
  carries: boolean
  /** While true, both calls reject. */
  down: boolean
}

/** Makes a bus for every node of a test: `shared`, since the test is the fleet. */
export function processBus(): ProcessBus {
  const listeners = new Set<{ readonly topic: string; readonly listener: (message: Uint8Array) => void }>()
  const sent: Uint8Array[] = []
  const bus: ProcessBus = {
    capabilities: { shared: true },
    sent,
    carries: true,
    down: false,
    async publish(topic, message) {
      if (bus.down) throw new Error('the bus is down')
      sent.push(message)
      if (!bus.carries) return
      const now = [...listeners]
      queueMicrotask(() => {
        for (const one of now) if (one.topic === topic && listeners.has(one)) one.listener(message.slice())
      })
    },
    async subscribe(topic, listener) {
      if (bus.down) throw new Error('the bus is down')
      const one = { topic, listener }
      listeners.add(one)
      return async () => void listeners.delete(one)
    },
  }
  return bus
}
