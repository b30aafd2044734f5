import { WaitLine } from './wait-line.ts'

/** `WellKnownAttributes.priority`, by rank: a lower number goes first. */
export type Rank = 0 | 1 | 2
const RANKS = 3

/** One who waits. */
export interface Waiter {
  readonly tenant: string
  readonly rank: Rank
}

interface Line<W> {
  readonly tenant: string
  readonly byRank: readonly WaitLine<W>[]
  size: number
  /** Turns that are left in this round. */
  turns: number
}

/**
 * A bounded queue, fair between tenants: they take turns, so many a round as their weight says. Within a tenant a higher class goes
 * first, and within a class who came first. When it is full, who is within their share displaces the last of whoever holds most.
 */
export class FairQueue<W extends Waiter> {
  /** In order of their turns: the first is next. */
  private readonly lines = new Map<string, Line<W>>()
  private readonly limit: number
  private readonly weightOf: (tenant: string) => number
  private held = 0

  constructor(limit: number, weightOf: (tenant: string) => number) {
    this.limit = limit
    this.weightOf = weightOf
  }

  get size(): number {
    return this.held
  }

  /** `true` = queued; `false` = full; a waiter = queued in the place of that one, who is out. */
  push(waiter: W, now: number): boolean | W {
    if (this.held < this.limit) {
      this.add(waiter, now)
      return true
    }
    const displaced = this.displacedBy(waiter)
    if (displaced === undefined) return false
    this.remove(displaced)
    this.add(waiter, now)
    return displaced
  }

  /** Since when the oldest waits; undefined where nobody does. */
  get oldestSince(): number | undefined {
    let oldest: number | undefined
    for (const { byRank } of this.lines.values())
      for (const { oldestSince } of byRank)
        if (oldestSince !== undefined && (oldest === undefined || oldestSince < oldest)) oldest = oldestSince
    return oldest
  }

  /**
   * Who is given up when too many wait, out of the queue then: of class `low`, else of the tenant that holds most by its weight; of that
   * one the lowest class, and of it who waits longest.
   */
  sacrifice(): W | undefined {
    let chosen: Line<W> | undefined
    let most = Number.NEGATIVE_INFINITY
    for (const line of this.lines.values()) {
      const hasLow = (line.byRank[RANKS - 1]?.size ?? 0) > 0
      // Any line with the lowest class comes before any without.
      const held = line.size / this.weightOf(line.tenant) + (hasLow ? this.limit + 1 : 0)
      if (held > most) {
        chosen = line
        most = held
      }
    }
    const waiter = chosen?.byRank.findLast(({ size }) => size > 0)?.oldest
    if (waiter !== undefined) this.remove(waiter)
    return waiter
  }

  /** The next in turn, who is out of the queue then; of its class who came first, or last where `newestFirst` says so. */
  shift(newestFirst: boolean = false): W | undefined {
    const line = this.lines.values().next().value
    if (line === undefined) return undefined
    const best = line.byRank.find(({ size }) => size > 0) as WaitLine<W>
    const waiter = (newestFirst ? best.newest : best.oldest) as W
    this.remove(waiter)
    if (line.size > 0 && --line.turns <= 0) {
      line.turns = this.weightOf(line.tenant)
      this.lines.delete(line.tenant)
      this.lines.set(line.tenant, line)
    }
    return waiter
  }

  /** At once, from wherever it stands; false if it is not in the queue. */
  remove(waiter: W): boolean {
    const line = this.lines.get(waiter.tenant)
    if (line?.byRank[waiter.rank]?.delete(waiter) !== true) return false
    this.held--
    if (--line.size === 0) this.lines.delete(waiter.tenant)
    return true
  }

  private add(waiter: W, now: number): void {
    let line = this.lines.get(waiter.tenant)
    if (line === undefined) {
      const byRank = Array.from({ length: RANKS }, () => new WaitLine<W>())
      line = { tenant: waiter.tenant, byRank, size: 0, turns: this.weightOf(waiter.tenant) }
      this.lines.set(waiter.tenant, line)
    }
    line.byRank[waiter.rank]?.add(waiter, now)
    line.size++
    this.held++
  }

  private displacedBy({ tenant, rank }: Waiter): W | undefined {
    const own = this.lines.get(tenant)
    const lower = own === undefined ? undefined : lastOf(own)
    if (lower !== undefined && lower.rank > rank) return lower
    const share = ((own?.size ?? 0) + 1) / this.weightOf(tenant)
    let most: Line<W> | undefined
    let mostShare = share
    for (const line of this.lines.values()) {
      const held = line.size / this.weightOf(line.tenant)
      if (held > mostShare) {
        most = line
        mostShare = held
      }
    }
    return most === undefined ? undefined : lastOf(most)
  }
}

/** Of the lowest class, who came last. */
function lastOf<W>(line: Line<W>): W | undefined {
  return line.byRank.findLast(({ size }) => size > 0)?.newest
}
