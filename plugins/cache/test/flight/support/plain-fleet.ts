import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Flights, type Lead, type Listening, SwitchyardError } from '@switchyard/contract'

interface Shared {
  readonly chunks: Uint8Array[]
  state: 'open' | 'complete' | 'gone'
  readonly lost: AbortController
  readonly wakes: Set<() => void>
  listeners: number
}

export interface PlainFleet {
  /** The port as one more node sees it. `weather` decides how it answers from then on. */
  node(): Flights & { weather: 'fair' | 'failing' | 'silent' }
  /** The lead of the key is taken from whoever has it. */
  lose(key: string): void
  readonly flights: number
  readonly listeners: number
}

const conflict = (): SwitchyardError => new SwitchyardError('CONFLICT', 'the leader is gone', { retryable: true })

/** Flights of several nodes in the plainest way, one turn of the loop late, with the pieces cut elsewhere than they were given. */
export function plainFleet(maxBytes: number = 1 << 20): PlainFleet {
  const open = new Map<string, Shared>()
  let listeners = 0

  function end(key: string, one: Shared, state: 'complete' | 'gone'): void {
    if (one.state !== 'open') return
    one.state = state
    if (open.get(key) === one) open.delete(key)
    for (const wake of one.wakes) wake()
  }

  function leadOf(key: string, one: Shared): Lead {
    let bytes = 0
    return {
      role: 'leader',
      signal: one.lost.signal,
      async append(chunk) {
        await nextTurn()
        if (one.state !== 'open') throw conflict()
        bytes += chunk.byteLength
        if (bytes > maxBytes) {
          end(key, one, 'gone')
          throw new SwitchyardError('TOO_LARGE', 'too large')
        }
        const middle = chunk.byteLength >> 1
        one.chunks.push(chunk.slice(0, middle), chunk.slice(middle))
        for (const wake of one.wakes) wake()
      },
      async complete() {
        await nextTurn()
        end(key, one, 'complete')
      },
      abandon: async () => end(key, one, 'gone'),
      async listeners() {
        await nextTurn()
        return one.listeners
      },
    }
  }

  function listeningTo(one: Shared): Listening {
    let gone = false
    one.listeners += 1
    listeners += 1
    const leave = async (): Promise<void> => {
      if (gone) return
      gone = true
      one.listeners -= 1
      listeners -= 1
      for (const wake of one.wakes) wake()
    }
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (let at = 0; ; at += 1) {
          while (at >= one.chunks.length) {
            if (gone || one.state === 'complete') return
            if (one.state === 'gone') throw conflict()
            await new Promise<void>((resolve) => {
              const wake = (): void => {
                one.wakes.delete(wake)
                resolve()
              }
              one.wakes.add(wake)
            })
          }
          yield one.chunks[at] as Uint8Array
        }
      } finally {
        await leave()
      }
    }
    return { role: 'listener', chunks: chunks(), leave }
  }

  return {
    node: () => ({
      weather: 'fair',
      capabilities: { shared: true, maxBytes },
      async join(key: string) {
        await nextTurn()
        if (this.weather === 'silent') return new Promise(() => {})
        if (this.weather === 'failing') throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the fleet is away')
        const there = open.get(key)
        if (there !== undefined) return listeningTo(there)
        const one: Shared = { chunks: [], state: 'open', lost: new AbortController(), wakes: new Set(), listeners: 0 }
        open.set(key, one)
        return leadOf(key, one)
      },
    }),
    lose(key) {
      const one = open.get(key)
      if (one === undefined) return
      end(key, one, 'gone')
      one.lost.abort(conflict())
    },
    get flights() {
      return open.size
    },
    get listeners() {
      return listeners
    },
  }
}
