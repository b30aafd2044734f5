import type { Client } from '../connection.ts'
import type { LogId } from '../log/ids.ts'

/** Estimates of how many entries bear a tag. */
export interface TagCounts {
  /** Counts an entry; what fails is not counted and reaches nobody. */
  add(tag: string, since: LogId, key: string, expiresAt: number | undefined): void
  /** Entries that bear the tag and were set since its last deletion. */
  count(tag: string, since: LogId): Promise<number>
}

/** Lifetimes are sorted into classes, each four times as long as the one before: from 4 s to 194 days. */
const SHORTEST_EXPONENT = 12
const LONGEST_EXPONENT = 34
const CLASSES = Array.from({ length: (LONGEST_EXPONENT - SHORTEST_EXPONENT) / 2 + 1 }, (_, at) => SHORTEST_EXPONENT + 2 * at)
/** What counts entries that never expire goes when none was added for as long. */
const NEVER_SECONDS = 2_592_000

/**
 * Makes counts on HyperLogLog, 12 KiB each at most. One counter holds those entries of a tag that expire within the same span of time, which
 * is at least as long as they live, and goes at its end: so an entry is counted for at most twice its lifetime, never for ever.
 * After a deletion of the tag other counters are used.
 */
export function tagCounts(client: Client, keyPrefix: string, now: () => number): TagCounts {
  // The tag's braces must not become a hash tag, nor miss one: its counters lie in one slot by a digest-free escape.
  const before = (tag: string, since: LogId): string => `${keyPrefix}{n:${encodeURIComponent(tag)}}:${since}:`

  return {
    add(tag, since, key, expiresAt) {
      const left = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - now()
      const exponent = CLASSES.find((one) => left <= 2 ** one)
      const pipeline = client.pipeline()
      if (exponent === undefined || expiresAt === undefined) {
        const counter = `${before(tag, since)}never`
        pipeline.pfadd(counter, key)
        pipeline.expire(counter, NEVER_SECONDS)
      } else {
        const span = Math.floor(expiresAt / 2 ** exponent)
        const counter = `${before(tag, since)}${exponent}:${span}`
        pipeline.pfadd(counter, key)
        pipeline.pexpire(counter, Math.max(1, Math.ceil((span + 1) * 2 ** exponent - now())))
      }
      pipeline.exec().catch(() => {})
    },
    count(tag, since) {
      const start = before(tag, since)
      const counters = CLASSES.flatMap((exponent) => {
        const span = Math.floor(now() / 2 ** exponent)
        return [`${start}${exponent}:${span}`, `${start}${exponent}:${span + 1}`]
      })
      return client.pfcount(`${start}never`, ...counters)
    },
  }
}
