import { type Clock, type Lead, type Listening, type Logger, SwitchyardError } from '@switchyard/contract'
import { asError, cutOff, isOwnFault, nobody } from './blame.ts'
import { each } from './each.ts'
import { type Fleet, release } from './fleet.ts'
import { recordReader } from './framing.ts'
import { whenNobodyListens } from './others.ts'
import { type Outbox, outboxOf } from './outbox.ts'
import { type Seat, type Shelf, seatAt } from './seat.ts'
import type { Flown, FlyOptions } from './single-flight.ts'

/** A flight that lost so many leaders before anything came goes on without the fleet. */
const MOST_LOSSES = 3

export interface FlightParts {
  readonly key: string
  readonly fleet: Fleet
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn'>
  readonly maxBytes: number
  readonly remoteTimeoutMs: number
  /** Nobody may join any more. Told once. */
  onShut(): void
  /** Nothing of it goes on any more. Told once. */
  onOver(): void
}

/** One piece of work under way, and all in this process who listen to it. */
export interface Flight {
  join(options: FlyOptions): Promise<Flown>
  /** Whether more is to come: not after its end, though it may be joined until what came is stored. */
  isOpen(): boolean
  /** Ends it for everybody. */
  stop(error: SwitchyardError): void
}

/** How an attempt to fly ended: for good, or so that another is due, as nothing had come. */
type Outcome = 'over' | 'again'

/** Begins a flight with its first caller. */
export function beginFlight(
  parts: FlightParts,
  first: FlyOptions,
): { readonly flight: Flight; readonly flown: Promise<Flown> } {
  const { key, fleet, clock, log, maxBytes, remoteTimeoutMs } = parts
  const shelf: Shelf = { frames: [], base: 0, end: undefined, maxBytes }
  const seats = new Set<Seat>()
  /** Whose `lead` runs or ran. */
  let leader: Seat | undefined
  let outbox: Outbox | undefined
  let bytes = 0
  let outgrew = false
  let makeRoom: (() => void) | undefined
  let stopAsking: (() => void) | undefined
  const stopped = new AbortController()
  let [shut, over] = [false, false]

  const nothingCame = (): boolean => shelf.frames.length === 0 && shelf.base === 0

  function close(): void {
    if (shut) return
    shut = true
    parts.onShut()
  }

  function finished(): void {
    if (over) return
    over = true
    stopAsking?.()
    close()
    parts.onOver()
  }

  function wake(): void {
    for (const seat of [...seats]) seat.wake(seat === leader ? 'leader' : 'listener')
  }

  function enter(options: FlyOptions): Promise<Flown> {
    const seat = seatAt(shelf, options, left, () => makeRoom?.())
    if (shelf.end === undefined) {
      seats.add(seat)
      stopAsking?.()
    } else seat.settle()
    if (shelf.end !== undefined || !nothingCame()) seat.wake('listener')
    return seat.flown
  }

  function left(seat: Seat): void {
    seats.delete(seat)
    if (seats.size > 0 || shelf.end !== undefined || over) return
    makeRoom?.()
    if (outbox === undefined) stop(nobody())
    else stopAsking = whenNobodyListens(outbox, clock, () => stop(nobody()))
  }

  function stop(error: SwitchyardError): void {
    if (over) return
    shelf.end ??= { error }
    for (const seat of seats) seat.fail(error)
    seats.clear()
    outbox?.abandon()
    stopped.abort(error)
    finished()
  }

  function put(frame: Uint8Array): Promise<void> | undefined {
    shelf.frames.push(frame)
    bytes += frame.byteLength
    outbox?.send(frame)
    if (!outgrew && bytes > maxBytes) {
      outgrew = true
      close()
    }
    if (outgrew) dropOldest()
    wake()
    if (!outgrew || seats.size === 0) return undefined
    return roomMade()
  }

  function dropOldest(): void {
    while (bytes > maxBytes && shelf.frames.length > 1 && someoneHasRead()) {
      bytes -= (shelf.frames.shift() as Uint8Array).byteLength
      shelf.base += 1
    }
  }

  /** Whoever waits for the next frame has read all others. */
  function someoneHasRead(): boolean {
    for (const seat of seats) if (seat.hungry()) return true
    return seats.size === 0
  }

  /** From where a flight is too large on, it is read as fast as its fastest reader reads. */
  function roomMade(): Promise<void> | undefined {
    if (someoneHasRead()) return undefined
    return new Promise((resolve) => {
      makeRoom = () => {
        makeRoom = undefined
        resolve()
      }
    })
  }

  function end(error: SwitchyardError | undefined): void {
    shelf.end = { error }
    wake()
    for (const seat of seats) seat.settle()
    seats.clear()
  }

  /** Tells whoever led how its work ended. */
  async function land({ options }: Seat, frames: readonly Uint8Array[] | undefined): Promise<void> {
    try {
      const landing = options.landed(frames)
      if (!(landing instanceof Promise)) return
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.schedule(remoteTimeoutMs, resolve)
        landing.then(resolve, reject).finally(cancel)
      })
    } catch (error) {
      log.warn({ error }, 'what was to be done with a shared reply failed')
    }
  }

  /** Runs the lead of one caller. Resolves with its failure. */
  async function work(
    { options }: Seat,
    lost: AbortSignal | undefined,
    isFirst: boolean,
  ): Promise<SwitchyardError | undefined> {
    const signal = lost === undefined ? stopped.signal : AbortSignal.any([stopped.signal, lost])
    try {
      // Through a promise, so that a lead that throws is one that rejects.
      await each(
        Promise.resolve().then(() => options.lead(signal, isFirst)),
        put,
        signal,
      )
      return undefined
    } catch (error) {
      return asError(error)
    }
  }

  async function lead(own: Lead | undefined): Promise<Outcome> {
    outbox =
      own === undefined
        ? undefined
        : outboxOf({ lead: own, maxBytes: fleet.maxBytes, onBroken: (error) => fleet.failed(error) })
    const lost = own === undefined ? undefined : new AbortController()
    const onLost = (): void => {
      // Once something was handed out here, it goes on for those who have it.
      if (nothingCame()) lost?.abort(own?.signal.reason)
    }
    if (own?.signal.aborted === true) onLost()
    own?.signal.addEventListener('abort', onLost, { once: true })
    try {
      for (;;) {
        const [seat] = seats
        if (seat === undefined) break
        const outcome = await leadBy(seat, lost?.signal, own?.isFirst === true)
        if (outcome !== undefined) return outcome
      }
      stop(nobody())
      return 'over'
    } finally {
      own?.signal.removeEventListener('abort', onLost)
    }
  }

  /** Undefined where another caller is to lead. */
  async function leadBy(seat: Seat, lost: AbortSignal | undefined, isFirst: boolean): Promise<Outcome | undefined> {
    leader = seat
    const error = await work(seat, lost, isFirst)
    if (error === undefined && !over) return landWell(seat)
    void land(seat, undefined)
    if (error === undefined || over) return 'over'
    if (lost?.aborted === true) {
      leader = undefined
      outbox = undefined
      return 'again'
    }
    return fails(seat, error) ? undefined : 'over'
  }

  /** The flight can be joined until its frames are where others find them. */
  async function landWell(seat: Seat): Promise<Outcome> {
    const landing = land(seat, outgrew ? undefined : [...shelf.frames])
    outbox?.end(landing)
    end(undefined)
    await landing
    finished()
    return 'over'
  }

  /** Tells those whom an error concerns. True where another caller is to lead. */
  function fails(seat: Seat, error: SwitchyardError): boolean {
    const own = isOwnFault(error, seat.options.signal)
    if (own) {
      seats.delete(seat)
      seat.fail(error)
      if (nothingCame()) return true
    }
    const told = own ? cutOff(error) : error
    outbox?.fail(told)
    end(told)
    finished()
    return false
  }

  async function follow(listening: Listening): Promise<Outcome> {
    const read = recordReader()
    let ended: { readonly error: SwitchyardError | undefined } | undefined
    const heard = new AbortController()
    try {
      await each(
        Promise.resolve(listening.chunks),
        (chunk) => {
          let wait: Promise<void> | undefined
          for (const told of read(chunk)) {
            if (told.kind === 'frame') wait = put(told.frame) ?? wait
            else {
              ended = { error: told.kind === 'failure' ? told.error : undefined }
              heard.abort()
              break
            }
          }
          return wait
        },
        AbortSignal.any([stopped.signal, heard.signal]),
      )
      if (ended === undefined) throw new SwitchyardError('CONFLICT', 'a flight ended without telling how', { retryable: true })
    } catch (error) {
      release(listening)
      if (over) return 'over'
      if (ended === undefined) {
        if (!SwitchyardError.is(error, 'CONFLICT')) fleet.failed(error)
        if (nothingCame()) return 'again'
        ended = { error: cutOff(error) }
      }
    }
    end(ended.error)
    finished()
    return 'over'
  }

  async function run(): Promise<void> {
    for (let losses = 0; ; losses += 1) {
      const joined = losses < MOST_LOSSES ? await fleet.join(key, stopped.signal) : undefined
      if (over) return release(joined)
      const outcome = joined?.role === 'listener' ? await follow(joined) : await lead(joined)
      if (outcome === 'over') return
    }
  }

  const flown = enter(first)
  run().catch((error: unknown) => stop(asError(error)))
  return { flight: { join: enter, isOpen: () => shelf.end === undefined, stop }, flown }
}
