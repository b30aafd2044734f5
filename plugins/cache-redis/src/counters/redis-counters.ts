import {
  type CallOptions,
  type Clock,
  type CounterRow,
  type Counters,
  type ExpiredLease,
  SwitchyardError,
} from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { invalid } from '../errors.ts'
import type { Guard, Step } from '../guard.ts'
import { runScript, type Script, scriptOf } from '../run-script.ts'
import { checkAmounts, checkRenewal, checkReserve, checkText, MOST_ROWS } from './check.ts'
import { changesOf, type ExpiredReply, expiredOf, reservationOf } from './replies.ts'
import { ACKNOWLEDGE, EXPIRED, READ, RENEW, RESERVE, SETTLE } from './scripts.ts'
import { type Shard, shardNames, tagOf } from './shard.ts'
import { tagRegister } from './tag-register.ts'

const [reserveScript, settleScript, renewScript] = [scriptOf(RESERVE), scriptOf(SETTLE), scriptOf(RENEW)]
const [readScript, expiredScript, acknowledgeScript] = [scriptOf(READ), scriptOf(EXPIRED), scriptOf(ACKNOWLEDGE)]

const MOST_EXPIRED = 1_000
/** Tags that `expired` asks at once. */
const TAGS_AT_ONCE = 64
const TAGS_KNOWN = 10_000

export interface RedisCountersOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'now'>
  readonly keyPrefix: string
}

/**
 * Counters that a fleet shares. Each call is one script run over the keys of one tag, so one round trip and atomic; the first call
 * of a node under a tag, and one a minute, names the tag in a list beforehand. A call that finds more due leases than one run works
 * off is sent again, within its time. Time is this node's: see the README on skew.
 */
export function redisCounters({ client, guard, clock, keyPrefix }: RedisCountersOptions): Counters {
  const shardOf = shardNames(keyPrefix, TAGS_KNOWN)
  const register = tagRegister(client, keyPrefix)

  /** Until the script says something else than `again`, or nobody waits any more. */
  async function run(step: Step, script: Script, shard: Shard, now: string, given: readonly string[]): Promise<string[]> {
    const args = [...shard.keys, now, ...given]
    for (;;) {
      const reply = (await runScript(client, script, args, shard.keys.length)) as string[]
      if (reply[0] !== 'again' || step.over) return reply
    }
  }

  function ofLease(
    script: Script,
    leaseId: string,
    given: readonly string[],
    options: CallOptions | undefined,
  ): Promise<string[]> {
    return guard.run((step) => run(step, script, shardOf(tagOf(leaseId)), String(clock.now()), [leaseId, ...given]), options)
  }

  async function readShard(step: Step, tag: string, keys: readonly string[], now: string): Promise<string[]> {
    const sums: string[] = []
    for (let from = 0; from < keys.length; from += MOST_ROWS) {
      const [, ...some] = await run(step, readScript, shardOf(tag), now, keys.slice(from, from + MOST_ROWS))
      sums.push(...some)
    }
    return sums
  }

  async function expiredOfTag(step: Step, tag: string, now: number): Promise<readonly ExpiredLease[]> {
    const reply = await run(step, expiredScript, shardOf(tag), String(now), [String(MOST_EXPIRED)])
    const [, state, ...leases] = reply as unknown as ExpiredReply
    if (state === 'empty') await register.forget(tag, now)
    return leases.map(expiredOf)
  }

  return {
    capabilities: Object.freeze({ shared: true }),

    reserve: (rows, lease, options) =>
      guard.run(async (step) => {
        const shard = shardOf(tagOf(lease.id))
        checkReserve(rows, lease, shard.tag)
        const now = clock.now()
        const { id, expiresAt, settleUntil = '', note } = lease
        const given = [id, String(expiresAt), String(settleUntil), note === undefined ? '' : `=${note}`]
        for (const row of rows) pushRow(given, row)
        if (shard.knownUntil <= now) await register.add(shard, now)
        if (step.over) return { granted: false, key: '', available: 0n }
        const reply = await run(step, reserveScript, shard, String(now), given)
        if (reply[0] === 'conflict') throw new SwitchyardError('CONFLICT', `lease ${JSON.stringify(id)} was already reserved`)
        return reservationOf(reply, rows)
      }, options),

    async settle(leaseId, amounts, options) {
      checkAmounts(amounts)
      const reply = await ofLease(settleScript, leaseId, flat(amounts), options)
      if (reply[0] === 'foreign') throw foreign(leaseId, reply[1] as string)
      return reply[0] === 'settled' ? { settled: true, changes: changesOf(reply, 1) } : { settled: false }
    },

    async renew(leaseId, renewal, options) {
      checkRenewal(renewal)
      const { expiresAt = '', settleUntil = '', amounts = {} } = renewal
      const given = [String(expiresAt), String(settleUntil), ...flat(amounts)]
      const reply = await ofLease(renewScript, leaseId, given, options)
      if (reply[0] === 'foreign') throw foreign(leaseId, reply[1] as string)
      if (reply[0] === 'passed') throw invalid(`the new expiry of lease ${JSON.stringify(leaseId)} has passed already`)
      return { renewed: reply[0] === 'renewed' }
    },

    expired: (options) =>
      guard.run(async (step) => {
        const now = clock.now()
        const tags = await register.tags()
        const found: ExpiredLease[] = []
        for (let from = 0; from < tags.length && !step.over; from += TAGS_AT_ONCE) {
          const some = tags.slice(from, from + TAGS_AT_ONCE).map((tag) => expiredOfTag(step, tag, now))
          for (const leases of await Promise.all(some)) found.push(...leases)
        }
        return found.sort((one, other) => one.expiredAt - other.expiredAt).slice(0, MOST_EXPIRED)
      }, options),

    acknowledge: (leaseIds, options) =>
      guard.run(async (step) => {
        const now = String(clock.now())
        const work: Promise<unknown>[] = []
        for (const [tag, ids] of Map.groupBy(leaseIds, tagOf)) {
          for (let from = 0; from < ids.length; from += MOST_ROWS) {
            work.push(run(step, acknowledgeScript, shardOf(tag), now, ids.slice(from, from + MOST_ROWS)))
          }
        }
        await Promise.all(work)
      }, options),

    read: (keys, options) =>
      guard.run(async (step) => {
        for (const key of keys) checkText(key, 'a counter key')
        const now = String(clock.now())
        const places = Map.groupBy(keys.keys(), (at) => tagOf(keys[at] as string))
        const sums = new Array<bigint>(keys.length).fill(0n)
        const reading = [...places].map(async ([tag, at]) => {
          const found = await readShard(
            step,
            tag,
            at.map((place) => keys[place] as string),
            now,
          )
          for (const [i, place] of at.entries()) sums[place] = BigInt(found[i] ?? 0)
        })
        await Promise.all(reading)
        return sums
      }, options),
  }
}

function pushRow(
  into: string[],
  { key, amount, limit, expected = 0n, expiresAt = Number.POSITIVE_INFINITY }: CounterRow,
): void {
  const bound = limit === undefined ? '' : limit < 0n ? '-' : String(limit)
  into.push(key, String(amount), bound, String(expected), expiresAt === Number.POSITIVE_INFINITY ? '' : String(expiresAt))
}

function flat(amounts: Readonly<Record<string, bigint>>): string[] {
  const pairs: string[] = []
  for (const key in amounts) pairs.push(key, String(amounts[key]))
  return pairs
}

function foreign(leaseId: string, key: string): SwitchyardError {
  return invalid(`lease ${JSON.stringify(leaseId)} holds no counter ${JSON.stringify(key)}`)
}
