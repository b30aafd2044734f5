import { type CallOptions, type Flights, type Lead, type Listening, SwitchyardError } from '@switchyard/contract'

interface Flight {
  readonly chunks: Uint8Array[]
  bytes: number
  state: 'open' | 'complete' | 'abandoned'
  readonly listening: Set<() => void>
}

const wrong = (code: 'ABORTED' | 'CONFLICT' | 'TOO_LARGE' | 'INVALID_REQUEST'): SwitchyardError =>
  new SwitchyardError(code, 'plain flights', code === 'CONFLICT' ? { retryable: true } : {})

function look(options: CallOptions | undefined): void {
  if (options?.signal?.aborted === true) throw wrong('ABORTED')
}

/** Right flights in the plainest way. */
export function plainFlights(maxBytes: number = 1 << 20): Flights {
  const open = new Map<string, Flight>()

  function end(key: string, flight: Flight, state: Flight['state']): void {
    if (flight.state !== 'open') return
    flight.state = state
    open.delete(key)
    for (const wake of flight.listening) wake()
  }

  function leadOf(key: string, flight: Flight): Lead {
    return {
      role: 'leader',
      signal: new AbortController().signal,
      async append(chunk, options) {
        look(options)
        if (flight.state !== 'open') throw wrong('CONFLICT')
        flight.bytes += chunk.length
        if (flight.bytes > maxBytes) {
          end(key, flight, 'abandoned')
          throw wrong('TOO_LARGE')
        }
        flight.chunks.push(new Uint8Array(chunk))
        for (const wake of flight.listening) wake()
      },
      complete: async () => end(key, flight, 'complete'),
      abandon: async () => end(key, flight, 'abandoned'),
      async listeners(options) {
        look(options)
        return flight.listening.size
      },
    }
  }

  function listeningTo(flight: Flight): Listening {
    let wait = Promise.withResolvers<void>()
    const wake = (): void => wait.resolve()
    flight.listening.add(wake)
    const leave = async (): Promise<void> => {
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
          else if (flight.state === 'abandoned') throw wrong('CONFLICT')
          else {
            await wait.promise
            wait = Promise.withResolvers<void>()
          }
        }
      } finally {
        await leave()
      }
    }
    return { role: 'listener', chunks: chunks(), leave }
  }

  return {
    capabilities: { shared: false, maxBytes },
    async join(key, options) {
      look(options)
      if (key === '') throw wrong('INVALID_REQUEST')
      const there = open.get(key)
      if (there !== undefined) return listeningTo(there)
      const flight: Flight = { chunks: [], bytes: 0, state: 'open', listening: new Set() }
      open.set(key, flight)
      return leadOf(key, flight)
    },
  }
}
