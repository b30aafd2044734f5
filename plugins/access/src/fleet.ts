import type { Bus, Clock, Logger } from '@switchyard/contract'

export interface FleetParts {
  readonly bus: Bus | undefined
  readonly topic: string
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Pick<Logger, 'warn'>
  /** A key was changed, here or at another node. */
  heard(id: string): void
}

/** How nodes tell each other which keys were changed. What the bus loses, the time that a check holds makes good. */
export interface Fleet {
  /** Listens; where the bus does not answer it tries again. Never rejects. */
  start(): Promise<void>
  tell(id: string): void
  close(): Promise<void>
}

const AGAIN_MS = 10_000
const MAX_BYTES = 500

/** @see Fleet */
export function joinFleet({ bus, topic, clock, log, heard }: FleetParts): Fleet {
  let leave: (() => Promise<void>) | undefined
  let cancel: (() => void) | undefined
  let closed = false
  let failing = false

  function failed(error: unknown): void {
    if (!failing) log.warn({ err: error }, 'the bus does not answer: changes of keys reach other nodes after cacheTtlMs only')
    failing = true
  }

  async function start(): Promise<void> {
    if (bus === undefined || closed) return
    try {
      const end = await bus.subscribe(topic, (message) => {
        const id = read(message)
        if (id !== undefined && !closed) heard(id)
      })
      if (closed) await end()
      else leave = end
    } catch (error) {
      failed(error)
      cancel = clock.schedule(AGAIN_MS, () => void start())
    }
  }

  return {
    start,
    tell(id) {
      bus?.publish(topic, Buffer.from(JSON.stringify({ key: id }))).then(() => {
        failing = false
      }, failed)
    },
    async close() {
      closed = true
      cancel?.()
      await leave?.().catch(() => {})
    },
  }
}

/** The id in a message; undefined where it is none of ours. */
function read(message: Uint8Array): string | undefined {
  if (message.length > MAX_BYTES) return undefined
  try {
    const { key } = JSON.parse(Buffer.from(message).toString('utf8')) as { readonly key?: unknown }
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined
  }
}
