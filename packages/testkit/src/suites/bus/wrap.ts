import type { Bus, CallOptions } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'

export type Listener = (message: Uint8Array) => void

/** A mutant that does what the right bus does, but for `change`. */
export function mutant(name: string, killedBy: string, change: (right: Bus) => Partial<Bus>): Mutant<Bus> {
  return {
    name,
    killedBy,
    mutate: (right) => ({
      capabilities: right.capabilities,
      publish: (topic, message, options) => right.publish(topic, message, options),
      subscribe: (topic, listener, options) => right.subscribe(topic, listener, options),
      ...change(right),
    }),
  }
}

/** Hands messages to another listener than it was given. */
export function hands(right: Bus, changed: (listener: Listener, topic: string) => Listener): Partial<Bus> {
  return { subscribe: (topic, listener, options) => right.subscribe(topic, changed(listener, topic), options) }
}

/** Sends other bytes than it was given. */
export function sends(right: Bus, changed: (message: Uint8Array) => Uint8Array): Partial<Bus> {
  return { publish: (topic, message, options) => right.publish(topic, changed(message), options) }
}

/** Takes one topic for another. */
export function confusesTopics(right: Bus, changed: (topic: string) => string): Partial<Bus> {
  return {
    publish: (topic, message, options) => right.publish(topic === '' ? '' : changed(topic), message, options),
    subscribe: (topic, listener, options) => right.subscribe(topic === '' ? '' : changed(topic), listener, options),
  }
}

/** The options less their signal. */
export function deaf(_options: CallOptions | undefined): CallOptions {
  return {}
}
