import type { CallOptions, Flights, Lead, Listening } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'

/** A mutant that does what the right flights do, but for `change`. */
export function mutant(name: string, killedBy: string, change: (right: Flights) => Partial<Flights>): Mutant<Flights> {
  return {
    name,
    killedBy,
    mutate: (right) => ({
      capabilities: right.capabilities,
      join: (key, options) => right.join(key, options),
      ...change(right),
    }),
  }
}

/** Leads otherwise. */
export function leads(right: Flights, change: (lead: Lead, key: string) => Partial<Lead>): Partial<Flights> {
  return {
    async join(key, options) {
      const joined = await right.join(key, options)
      if (joined.role === 'listener') return joined
      return {
        role: 'leader',
        signal: joined.signal,
        append: (chunk, given) => joined.append(chunk, given),
        complete: () => joined.complete(),
        abandon: () => joined.abandon(),
        listeners: (given) => joined.listeners(given),
        ...change(joined, key),
      }
    },
  }
}

/** Lets a chunk through changed, or not at all. */
export function appends(right: Flights, changed: (chunk: Uint8Array, lead: Lead) => Uint8Array): Partial<Flights> {
  return leads(right, (lead) => ({ append: (chunk, options) => lead.append(changed(chunk, lead), options) }))
}

/** Listens otherwise. */
export function listens(right: Flights, change: (listening: Listening, key: string) => Partial<Listening>): Partial<Flights> {
  return {
    async join(key, options) {
      const joined = await right.join(key, options)
      if (joined.role === 'leader') return joined
      return { role: 'listener', chunks: joined.chunks, leave: () => joined.leave(), ...change(joined, key) }
    },
  }
}

/** Takes one key for another. */
export function confusesKeys(right: Flights, changed: (key: string) => string): Partial<Flights> {
  return { join: (key, options) => right.join(key === '' ? '' : changed(key), options) }
}

/** The options less their signal. */
export function deaf(_options: CallOptions | undefined): CallOptions {
  return {}
}
