import type { Clock, Logger } from '@switchyard/contract'
import { toSwitchyardError } from '../errors.ts'
import { eventOf, isChain, type LogEvent, type RawEntry } from './events.ts'
import { FIRST_ID, isOlder, type LogId } from './ids.ts'
import type { LogKeys } from './keys.ts'
import { type LogListener, logListeners } from './listeners.ts'
import { patience } from './patience.ts'
import type { RunLogScript } from './run.ts'
import { ACKNOWLEDGE, LOAD, RENEW } from './scripts.ts'
import { type TagTable, tagTable } from './tag-table.ts'

export interface FollowerOptions {
  readonly run: RunLogScript
  readonly keys: LogKeys
  readonly node: string
  /** Keys and first arguments of every script. */
  before(): readonly string[]
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>
  readonly log: Pick<Logger, 'warn' | 'error'>
  readonly leaseMs: number
}

/** Where a node stands when it asks for what lies behind: what comes of it is of use for as long as there was no gap. */
export interface Place {
  readonly position: LogId
  readonly generation: number
}

/** Applies the log in order, and knows until when nothing can have escaped it. */
export interface Follower {
  current(): boolean
  position(): LogId
  place(): Place
  readonly tags: TagTable
  /** Whether the state was loaded; a gap unloads it. */
  loaded(): boolean
  listen(types: readonly string[], listener: LogListener): () => void
  /** Takes entries that were read behind a place: all that there are, without an omission, though perhaps not the last. */
  absorb(place: Place, entries: readonly RawEntry[]): void
  applied(id: LogId): Promise<void>
  /** Resolves once listeners were told of the id, or no lease is in force that was granted without it. */
  appliedOrLapsed(id: LogId): Promise<void>
  start(): Promise<void>
  close(reason: Error): void
}

/** A node trusts its lease a little shorter than the server does, for clocks of different speed. */
const TRUST = 0.9
const RENEWALS_PER_LEASE = 4
const MOST_ENTRIES = 1_000

/** Makes a follower that stands nowhere. */
export function follower({ run, keys, node, before, clock, log, leaseMs }: FollowerOptions): Follower {
  const tags = tagTable()
  const answers = patience(clock, leaseMs)
  const listeners = logListeners(log)
  const waiting = new Set<{ readonly id: LogId; resolve(): void; reject(reason: Error): void }>()
  /** What waits for the next turn, in order. */
  let due: (() => void)[] = []
  let position: LogId = FIRST_ID
  /** As far as listeners were told. */
  let toldTo: LogId = FIRST_ID
  let generation = 0
  let loaded = false
  let trustedUntil = Number.NEGATIVE_INFINITY
  let closed: Error | undefined
  let failing = false
  let cancel = (): void => {}

  const current = (): boolean => clock.monotonic() < trustedUntil

  /**
   * The table changes at once, listeners are told in the next turn, and only then is anything acknowledged or trusted: a read that was
   * found alive just before has handed its entry on by then, so whoever keeps a copy of it drops it when told.
   */
  function inNextTurn(action: () => void): void {
    due.push(action)
    if (due.length > 1) return
    setImmediate(() => {
      const actions = due
      due = []
      for (const one of actions) if (closed === undefined) one()
    })
  }

  function apply(event: LogEvent): void {
    if (event.type === 'tag' || event.type === 'key') tags.delete(event.type, event.key, event.id)
    else if (event.type === '!floor') tags.raise(event.key)
    else if (event.type === '!keys') tags.forgetKeys(event.key)
    position = event.id
  }

  function settle(): void {
    for (const one of [...waiting]) {
      if (isOlder(toldTo, one.id)) continue
      waiting.delete(one)
      one.resolve()
    }
  }

  function gap(): void {
    generation += 1
    loaded = false
    trustedUntil = Number.NEGATIVE_INFINITY
    log.warn({ position }, 'the log of the cache has a gap: copies are dropped and the state is read anew')
    next(0)
  }

  function acknowledge(waitingNodes: ReadonlySet<string>): void {
    if (waitingNodes.size === 0) return
    const inboxes = [...waitingNodes].map((one) => keys.inbox(one))
    // Where it does not arrive, the other waits for the end of this node's lease.
    run(ACKNOWLEDGE, [...inboxes, node, toldTo], inboxes.length).catch(() => {})
  }

  function absorb(place: Place, entries: readonly RawEntry[]): void {
    if (!loaded || closed !== undefined || place.generation !== generation || entries.length === 0) return
    const events = entries.map(eventOf)
    if (!isChain(place.position, events)) {
      gap()
      return
    }
    const news = events.filter(({ id }) => isOlder(position, id))
    for (const event of news) apply(event)
    inNextTurn(() => {
      const waitingNodes = new Set<string>()
      for (const event of news) {
        listeners.tell(event)
        toldTo = event.id
        if (event.by !== undefined && event.by !== node) waitingNodes.add(event.by)
      }
      settle()
      acknowledge(waitingNodes)
    })
  }

  async function load(): Promise<void> {
    const sentAt = clock.monotonic()
    const fields = (await run(LOAD, before(), 2)) as Buffer[]
    if (closed !== undefined) return
    position = tags.load(fields)
    loaded = true
    const began = generation
    const at = position
    await new Promise<void>((resolve) => {
      inNextTurn(() => {
        if (generation > 0) listeners.tellGap(at)
        toldTo = at
        if (generation === began) trustedUntil = sentAt + leaseMs * TRUST
        settle()
        resolve()
      })
    })
  }

  /** Resolves with whether to ask again at once. */
  async function renew(): Promise<boolean> {
    const sentAt = clock.monotonic()
    const place = { position, generation }
    const args = [...before(), position, String(MOST_ENTRIES)]
    const [said, entries] = (await run(RENEW, args, 2)) as [Buffer, RawEntry[]?]
    if (closed !== undefined || place.generation !== generation) return false
    if (String(said) === 'gap') {
      gap()
      return false
    }
    absorb(place, entries ?? [])
    if (place.generation !== generation) return false
    if (String(said) === 'more') return true
    return new Promise((resolve) => {
      inNextTurn(() => {
        if (place.generation === generation) trustedUntil = Math.max(trustedUntil, sentAt + leaseMs * TRUST)
        resolve(!current())
      })
    })
  }

  async function tick(): Promise<void> {
    const began = generation
    let again = false
    try {
      if (loaded) again = await answers.wait(renew())
      else await answers.wait(load())
      failing = false
    } catch (error) {
      if (!failing) log.warn({ error: toSwitchyardError(error).message }, 'the log of the cache cannot be followed')
      failing = true
    }
    if (began === generation) next(again ? 0 : leaseMs / RENEWALS_PER_LEASE)
  }

  function next(afterMs: number): void {
    cancel()
    if (closed === undefined) cancel = clock.schedule(afterMs, () => void tick())
  }

  return {
    current,
    position: () => position,
    place: () => ({ position, generation }),
    tags,
    loaded: () => loaded,
    listen: listeners.add,
    absorb,
    applied(id) {
      if (closed !== undefined) return Promise.reject(closed)
      if (loaded && !isOlder(toldTo, id)) return Promise.resolve()
      return new Promise((resolve, reject) => waiting.add({ id, resolve, reject }))
    },
    appliedOrLapsed(id) {
      const left = (): number => trustedUntil - clock.monotonic()
      if (left() <= 0 || !isOlder(toldTo, id)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const one = {
          id,
          resolve(): void {
            cancelWait()
            resolve()
          },
          reject(reason: Error): void {
            cancelWait()
            reject(reason)
          },
        }
        let cancelWait = clock.schedule(left(), lapse)
        waiting.add(one)

        /** A lease that was granted before the id was there may have come to hand since. */
        function lapse(): void {
          if (left() > 0) {
            cancelWait = clock.schedule(left(), lapse)
            return
          }
          waiting.delete(one)
          resolve()
        }
      })
    },
    async start() {
      try {
        await load()
      } finally {
        next(leaseMs / RENEWALS_PER_LEASE)
      }
    },
    close(reason) {
      closed = reason
      loaded = false
      trustedUntil = Number.NEGATIVE_INFINITY
      cancel()
      for (const one of [...waiting]) one.reject(reason)
      waiting.clear()
      listeners.clear()
    },
  }
}
