import { SwitchyardError } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import type { Step } from '../guard.ts'
import type { Acknowledgements, OtherLease } from './acknowledgements.ts'
import type { RawEntry } from './events.ts'
import type { Follower } from './follower.ts'
import type { LogId } from './ids.ts'
import type { LogKeys } from './keys.ts'
import type { RunLogScript } from './run.ts'
import { CONFIRM, DELETE } from './scripts.ts'

export interface DeletionSettings {
  /** How many replicas must have it; `auto`: one where the server has any. */
  readonly waitForReplicas: 'auto' | number
  readonly replicaTimeoutMs: number
}

export interface DeletionsOptions {
  readonly run: RunLogScript
  /** A connection of its own: WAIT blocks. */
  readonly waiter: Client
  readonly keys: LogKeys
  before(): readonly string[]
  readonly following: Follower
  readonly heard: Acknowledgements
  readonly settings: DeletionSettings
}

type Reply = readonly [Buffer, Buffer, number, Buffer, readonly Buffer[], readonly RawEntry[]]

/** A server that was replaced while it was asked may have lost the entry; then it is written once more. */
const MOST_TRIES = 3

/** Makes what deletes; see `remove` of the log. */
export function deletions(options: DeletionsOptions): (kind: 'tag' | 'key', name: string, step: Step) => Promise<void> {
  const { run, waiter, keys, before, following, heard, settings } = options

  /** Whether replicas have the entry; false where the server that is the master now never had it. */
  async function confirm(id: LogId, genesis: string, replicas: number): Promise<boolean> {
    const wanted = settings.waitForReplicas === 'auto' ? Math.min(1, replicas) : settings.waitForReplicas
    if (wanted === 0) return true
    const pipeline = waiter.pipeline()
    // One connection for both: WAIT counts what was written by its own.
    pipeline.eval(CONFIRM.text, 2, keys.log, keys.state, id, genesis)
    pipeline.wait(wanted, settings.replicaTimeoutMs)
    const [there, waited] = (await pipeline.exec()) ?? []
    const failed = there?.[0] ?? waited?.[0]
    if (failed) throw failed
    if (there?.[1] !== 1) return false
    if (Number(waited?.[1]) < wanted) throw unconfirmed(Number(waited?.[1]), wanted, settings.replicaTimeoutMs)
    return true
  }

  async function removeOnce(kind: 'tag' | 'key', name: string): Promise<boolean> {
    const place = following.place()
    const reply = (await run(DELETE, [...before(), kind, name, place.position], 2)) as Reply
    const [id, genesis, replicas, holdMs, others, entries] = reply
    const told = heard.wait(String(id), leasesOf(others), Number(holdMs))
    following.absorb(place, entries)
    const [confirmed] = await Promise.all([
      confirm(String(id), String(genesis), replicas),
      told,
      following.appliedOrLapsed(String(id)),
    ])
    return confirmed
  }

  return async (kind, name, step) => {
    for (let tries = 0; tries < MOST_TRIES && !step.over; tries += 1) if (await removeOnce(kind, name)) return
    throw unavailable('redis: the master changed again and again while something was deleted; delete it again')
  }
}

function leasesOf(flat: readonly Buffer[]): readonly OtherLease[] {
  const leases: OtherLease[] = []
  for (let at = 0; at + 1 < flat.length; at += 2) leases.push({ node: String(flat[at]), leftMs: Number(flat[at + 1]) })
  return leases
}

function unconfirmed(had: number, wanted: number, afterMs: number): SwitchyardError {
  return unavailable(
    `redis: it was deleted, but ${had} of ${wanted} replicas confirmed it within ${afterMs} ms, so a failover may bring it back; delete it again`,
  )
}

function unavailable(words: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', words)
}
