import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/** Does the work of a flight, for all who listen. */
export interface Lead {
  readonly role: 'leader'
  /** Aborts when the lead is lost, with `CONFLICT`: another leads now, and what is appended still reaches nobody. */
  readonly signal: AbortSignal
  /**
   * True where no flight of the key ended well within the last seconds, so that whoever found no result before it joined need not look once more.
   * Absent where that is not known.
   */
  readonly isFirst?: boolean
  /** Hands bytes to all who listen, now or later, in order. Resolves when they are handed over, not when anybody read them. `CONFLICT` once the lead is lost. */
  append(chunk: Uint8Array, options?: CallOptions): Promise<void>
  /** Ends the flight well: listeners end behind the last chunk. Once, as `abandon`; the second of the two changes nothing. */
  complete(): Promise<void>
  /** Ends it without a result: listeners reject. */
  abandon(): Promise<void>
  /** How many listen now, on all nodes, the leader not counted. */
  listeners(options?: CallOptions): Promise<number>
}

/** Listens to a flight from its first chunk. */
export interface Listening {
  readonly role: 'listener'
  /**
   * To be iterated once. Ends when the leader completes; rejects `CONFLICT`, retryable, when it abandons or is gone, within a few
   * seconds. Reading slowly holds nobody back. Breaking off leaves the flight.
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Leaves, without having read or in the midst of it, which then ends. Idempotent. */
  leave(): Promise<void>
}

/** Single-flight: of many who want the same, one does the work and the others listen. */
export interface Flights {
  readonly capabilities: {
    /** One leader a key over all nodes of a fleet. */
    readonly shared: boolean
    /** Bytes that one flight may hand over; `append` beyond it is `TOO_LARGE` and abandons the flight. */
    readonly maxBytes: number
  }
  /**
   * Takes the lead of the key where nobody has it, else listens to whoever has. A flight that has ended is over: the next to join leads
   * a new one. An empty key is `INVALID_REQUEST`.
   */
  join(key: string, options?: CallOptions): Promise<Lead | Listening>
}

export const flights: Port<Flights> = definePort<Flights>('flights', 1)
