import { type CallOptions, type Flights, type Lead, type Listening, SwitchyardError } from '@switchyard/contract'
import { invalid, throwIfAborted } from './errors.ts'

interface Flight {
  readonly key: string
  readonly chunks: Uint8Array[]
  bytes: number
  state: 'open' | 'complete' | 'gone'
  /** Of each who listens: what wakes it. */
  readonly listening: Set<() => void>
  readonly lead: AbortController
}

export interface MemoryFlightsOptions {
  /** Flights under way at once. */
  readonly maxFlights: number
  /** Bytes that one flight may hand over. */
  readonly maxFlightBytes: number
}

/** Flights in this process, and what they hold. */
export interface MemoryFlights extends Flights {
  /** Flights under way. */
  usage(): { readonly flights: number }
  /** Takes every lead away: leaders and listeners reject. */
  clear(): void
}

/** Makes flights for one process. A chunk is kept once for all, and gone when the last who listens has it. */
export function memoryFlights({ maxFlights, maxFlightBytes }: MemoryFlightsOptions): MemoryFlights {
  const open = new Map<string, Flight>()

  function end(flight: Flight, state: 'complete' | 'gone'): void {
    if (flight.state !== 'open') return
    flight.state = state
    open.delete(flight.key)
    for (const wake of flight.listening) wake()
  }

  function leadOf(flight: Flight): Lead {
    return {
      role: 'leader',
      signal: flight.lead.signal,
      async append(chunk, options) {
        throwIfAborted(options)
        if (flight.state !== 'open') throw over()
        if (flight.bytes + chunk.byteLength > maxFlightBytes) {
          end(flight, 'gone')
          throw tooLarge(maxFlightBytes)
        }
        flight.bytes += chunk.byteLength
        flight.chunks.push(new Uint8Array(chunk))
        for (const wake of flight.listening) wake()
      },
      complete: async () => end(flight, 'complete'),
      abandon: async () => end(flight, 'gone'),
      async listeners(options) {
        throwIfAborted(options)
        return flight.listening.size
      },
    }
  }

  return {
    capabilities: Object.freeze({ shared: false, maxBytes: maxFlightBytes }),

    async join(key: string, options?: CallOptions) {
      throwIfAborted(options)
      if (key === '') throw invalid('the key of a flight must not be empty')
      const underWay = open.get(key)
      if (underWay !== undefined) return listeningTo(underWay)
      if (open.size >= maxFlights) throw overloaded(maxFlights)
      const flight: Flight = { key, chunks: [], bytes: 0, state: 'open', listening: new Set(), lead: new AbortController() }
      open.set(key, flight)
      return leadOf(flight)
    },

    usage: () => ({ flights: open.size }),

    clear() {
      for (const flight of [...open.values()]) {
        end(flight, 'gone')
        flight.lead.abort(over())
      }
    },
  }
}

function listeningTo(flight: Flight): Listening {
  let woken = Promise.withResolvers<void>()
  const wake = (): void => woken.resolve()
  flight.listening.add(wake)

  async function leave(): Promise<void> {
    flight.listening.delete(wake)
    wake()
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; flight.listening.has(wake); ) {
        const chunk = flight.chunks[at]
        if (chunk !== undefined) {
          at += 1
          yield new Uint8Array(chunk)
        } else if (flight.state === 'complete') return
        else if (flight.state === 'gone') throw over()
        else {
          await woken.promise
          woken = Promise.withResolvers<void>()
        }
      }
    } finally {
      await leave()
    }
  }

  return { role: 'listener', chunks: chunks(), leave }
}

function over(): SwitchyardError {
  return new SwitchyardError('CONFLICT', 'this flight is over; join again', { retryable: true })
}

function tooLarge(limit: number): SwitchyardError {
  const message = `a flight may hand over ${limit} bytes, which is maxFlightBytes; raise it, or share less`
  return new SwitchyardError('TOO_LARGE', message, { details: { option: 'maxFlightBytes', limit } })
}

function overloaded(limit: number): SwitchyardError {
  const message = `${limit} flights are under way, which is maxFlights; wait for some, or raise it`
  return new SwitchyardError('OVERLOADED', message, { details: { option: 'maxFlights', limit } })
}
