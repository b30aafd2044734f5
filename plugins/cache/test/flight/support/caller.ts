import { getEventListeners } from 'node:events'
import type { SwitchyardError } from '@switchyard/contract'
import type { SingleFlight } from '../../../src/flight/single-flight.ts'

/** Work under way, as the test drives it. */
export interface Work {
  readonly key: string
  readonly signal: AbortSignal
  readonly sent: string[]
  /** How it ended, once it has. */
  ended: 'well' | SwitchyardError | undefined
  emit(text: string): void
  finish(error?: SwitchyardError): void
  /** Whether its source is being read or was opened, and neither ended nor was told to. */
  readonly underWay: boolean
}

export interface Caller {
  readonly key: string
  readonly got: string[]
  role: 'leader' | 'listener' | undefined
  /** Set once it is answered to the end, or not. */
  ended: 'well' | SwitchyardError | undefined
  left: boolean
  leave(): void
  /** Leads of this caller, and what `landed` was told of each. */
  readonly works: Work[]
  readonly landed: (string[] | undefined)[]
  /** Listeners that hang on its signal still. */
  readonly hooks: number
  readonly done: Promise<void>
}

export interface CallerOptions {
  /** Awaited before each frame is read. */
  readonly pace?: () => Promise<void>
  readonly landed?: () => Promise<void>
  readonly onWork?: (work: Work) => void
}

const text = new TextDecoder()
const bytes = (word: string): Uint8Array => new TextEncoder().encode(word)

function workOf(key: string, signal: AbortSignal): { readonly work: Work; readonly source: AsyncIterable<Uint8Array> } {
  const queue: string[] = []
  let wake: (() => void) | undefined
  const work: Work = {
    key,
    signal,
    sent: [],
    ended: undefined,
    emit(word) {
      if (!work.underWay) return
      work.sent.push(word)
      queue.push(word)
      wake?.()
    },
    finish(error) {
      if (!work.underWay) return
      work.ended = error ?? 'well'
      wake?.()
    },
    get underWay() {
      return work.ended === undefined && !signal.aborted
    },
  }
  signal.addEventListener('abort', () => wake?.(), { once: true })
  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (signal.aborted) throw signal.reason
      const next = queue.shift()
      if (next !== undefined) yield bytes(next)
      else if (work.ended === 'well') return
      else if (work.ended !== undefined) throw work.ended
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return { work, source: source() }
}

/** Calls, and reads all that comes. */
export function call(flight: SingleFlight, key: string, { pace, landed, onWork }: CallerOptions = {}): Caller {
  const controller = new AbortController()
  const caller: Caller = {
    key,
    got: [],
    role: undefined,
    ended: undefined,
    left: false,
    leave() {
      caller.left = true
      controller.abort()
    },
    works: [],
    landed: [],
    get hooks() {
      return getEventListeners(controller.signal, 'abort').length
    },
    done: run(),
  }

  async function run(): Promise<void> {
    await Promise.resolve()
    try {
      const flown = await flight.fly(key, {
        signal: controller.signal,
        async lead(signal) {
          const { work, source } = workOf(key, signal)
          caller.works.push(work)
          onWork?.(work)
          return source
        },
        landed(frames) {
          caller.landed.push(frames?.map((frame) => text.decode(frame)))
          return landed?.()
        },
      })
      caller.role = flown.role
      const frames = flown.frames[Symbol.asyncIterator]()
      for (;;) {
        await pace?.()
        const { done, value } = await frames.next()
        if (done === true) break
        caller.got.push(text.decode(value))
      }
      caller.ended = 'well'
    } catch (error) {
      caller.ended = error as SwitchyardError
    }
  }
  return caller
}
