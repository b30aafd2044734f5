import { feedRefusal, type Import, inSlices, type Slicing } from '@switchyard/catalog'
import type { Clock } from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'
import type { FeedStore, StoredFile } from './feed-store.ts'
import { type Feed, type FeedFile, joined } from './feeds.ts'
import type { FeedStatus } from './port.ts'

export interface FeedKeeperParts {
  readonly feed: Feed
  readonly egress: Egress
  readonly store: FeedStore
  readonly clock: Pick<Clock, 'now'>
  /** How reading is cut, so that calls in flight go on. */
  readonly slicing: Slicing
}

/** Holds the last good content of one feed. */
export interface FeedKeeper {
  /** Undefined before the first good content. */
  readonly content: Import | undefined
  /** Takes what the store has, where it still passes. */
  load(): Promise<void>
  /** Asks for what changed; true where the content did. Never rejects, but with the signal's reason: a failure is in the status. */
  refresh(signal: AbortSignal): Promise<boolean>
  status(): FeedStatus
}

/** What is known of one file. */
interface Held {
  readonly etag: string | undefined
  readonly asOf: number
  readonly content: Import
}

/** Fetches a feed with its ETags, and takes new content only whole and only where it is not refused. */
export function feedKeeper({ feed, egress, store, clock, slicing }: FeedKeeperParts): FeedKeeper {
  let held: ReadonlyMap<string, Held> = new Map()
  let content: Import | undefined
  let goodAt: number | undefined
  let failures = 0
  let error: string | undefined

  /** The file as it is there now; undefined where it is not, the held one where it did not change. */
  async function fetched(
    file: FeedFile,
    known: Held | undefined,
    signal: AbortSignal,
  ): Promise<StoredFile | 'same' | undefined> {
    const headers = known?.etag === undefined ? {} : { 'if-none-match': known.etag }
    const { status, headers: given, body } = await egress.request(file.url, { headers, signal })
    if (status === 200) return { bytes: await body.bytes(), asOf: clock.now(), etag: given.etag }
    body.destroy()
    if (status === 304 && known !== undefined) return 'same'
    if (status === 404 && file.mayBeAbsent) return undefined
    throw new Error(`${file.url} answered ${status}`)
  }

  function take(next: ReadonlyMap<string, Held>): void {
    held = next
    content = next.size === 0 ? undefined : joined([...next.values()].map((one) => one.content))
  }

  return {
    get content() {
      return content
    },
    async load() {
      const stored = await store.load(
        feed.name,
        feed.files.map(({ key }) => key),
      )
      const next = new Map<string, Held>()
      for (const file of feed.files) {
        const found = stored.get(file.key)
        const read = found === undefined ? undefined : await readable(file, found, slicing)
        if (read !== undefined) next.set(file.key, read)
      }
      if (next.size === 0 || feedRefusal(joined([...next.values()].map((one) => one.content))) !== undefined) return
      take(next)
      goodAt = Math.max(...[...next.values()].map(({ asOf }) => asOf))
    },
    async refresh(signal) {
      const next = new Map(held)
      const changed = new Map<string, StoredFile | undefined>()
      const problems: string[] = []
      for (const file of feed.files) {
        try {
          const now = await fetched(file, held.get(file.key), signal)
          if (now === 'same' || (now === undefined && !held.has(file.key))) continue
          if (now === undefined) next.delete(file.key)
          else {
            const { etag, asOf } = now
            next.set(file.key, { etag, asOf, content: await inSlices(file.read(now.bytes, dateOf(asOf)), slicing) })
          }
          changed.set(file.key, now)
        } catch (failure) {
          signal.throwIfAborted()
          problems.push((failure as Error).message)
        }
      }
      const refusal =
        changed.size === 0 ? undefined : feedRefusal(joined([...next.values()].map((one) => one.content)), content)
      if (refusal !== undefined) problems.push(`refused: ${refusal}`)
      const taken = changed.size > 0 && refusal === undefined
      if (taken) {
        take(next)
        await store.save(feed.name, changed).catch((failure: Error) => problems.push(`not kept: ${failure.message}`))
      }
      if (problems.length === 0) goodAt = clock.now()
      failures = problems.length === 0 ? 0 : failures + 1
      error = problems.length === 0 ? undefined : problems.slice(0, 3).join('; ')
      return taken
    },
    status() {
      const ageMs = goodAt === undefined ? undefined : clock.now() - goodAt
      return { feed: feed.name, rows: content?.rows.length ?? 0, goodAt, ageMs, failures, error }
    },
  }
}

async function readable(file: FeedFile, { bytes, asOf, etag }: StoredFile, slicing: Slicing): Promise<Held | undefined> {
  try {
    return { etag, asOf, content: await inSlices(file.read(bytes, dateOf(asOf)), slicing) }
  } catch {
    return undefined
  }
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
