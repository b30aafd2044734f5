import { createHash, randomBytes } from 'node:crypto'

/** Names of the keys of one flight key, which share a slot of a cluster. */
export interface FlightKeys {
  /** Who leads: the epoch of the flight under way, with the lease as its expiry. */
  readonly lead: string
  /** Who listens, by when that lapses. */
  readonly listeners: string
  /** Stream of the chunks of one flight. */
  stream(epoch: string): string
}

/** Makes names for the keys of a prefix. A key may be of any length and hold braces, so its digest stands for it. */
export function flightKeys(keyPrefix: string): (key: string) => FlightKeys {
  return (key) => {
    const shared = `${keyPrefix}flight:{${createHash('sha256').update(key).digest('base64url').slice(0, 27)}}:`
    return { lead: `${shared}lead`, listeners: `${shared}listeners`, stream: (epoch) => `${shared}${epoch}` }
  }
}

/** A name that no other node makes, whatever randomness it was given: a lead is told from the next by it. */
export function freshId(): string {
  return randomBytes(12).toString('base64url')
}
