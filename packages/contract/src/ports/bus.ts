import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/**
 * Messages between the nodes of a fleet. Each arrives at most once, perhaps never, and in no promised order: never the only copy
 * of anything.
 */
export interface Bus {
  readonly capabilities: {
    /** Reaches every node of a fleet. */
    readonly shared: boolean
  }
  /**
   * Gives a copy of the bytes to everyone who listens to exactly this topic now, the publishing node too, after the call returned.
   * Resolves once it was handed over, whether or not anyone listens. An empty topic is `INVALID_REQUEST`, here and below.
   */
  publish(topic: string, message: Uint8Array, options?: CallOptions): Promise<void>
  /**
   * Resolves once it listens. Every subscription counts for itself and gets bytes of its own; what a listener throws reaches
   * nobody. The function it resolves with ends it at once, for messages under way too, and may be called twice.
   */
  subscribe(topic: string, listener: (message: Uint8Array) => void, options?: CallOptions): Promise<() => Promise<void>>
}

export const bus: Port<Bus> = definePort<Bus>('bus', 1)
