import type { Clock, Logger } from '@switchyard/contract'
import type { Use } from './key-store.ts'

/** Last uses of secrets, gathered and written in batches. */
export interface Uses {
  note(id: string, digest: string, at: number): void
  /** Writes what is gathered. Never rejects: what cannot be written is tried again with the next batch. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface UsesParts {
  readonly write: (uses: readonly Use[]) => Promise<void>
  readonly flushMs: number
  /** Secrets gathered at once; further ones are not noted until a batch is written. */
  readonly maxGathered: number
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn'>
}

/** @see Uses */
export function gatherUses({ write, flushMs, maxGathered, clock, log }: UsesParts): Uses {
  let gathered = new Map<string, Use>()
  let cancel: (() => void) | undefined
  let closed = false
  let failing = false

  function later(): void {
    if (closed || cancel !== undefined) return
    cancel = clock.schedule(flushMs, () => {
      cancel = undefined
      void flush()
    })
  }

  async function flush(): Promise<void> {
    if (gathered.size === 0) return
    const batch = gathered
    gathered = new Map()
    try {
      await write([...batch.values()])
      failing = false
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'when keys were last used cannot be written just now')
      failing = true
      for (const [digest, use] of batch) if (!gathered.has(digest) && gathered.size < maxGathered) gathered.set(digest, use)
      later()
    }
  }

  return {
    note(id, digest, at) {
      if (gathered.size >= maxGathered && !gathered.has(digest)) return
      gathered.set(digest, { id, digest, at })
      later()
    },
    flush,
    async close() {
      closed = true
      cancel?.()
      await flush()
    },
  }
}
