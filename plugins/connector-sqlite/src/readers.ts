import type { Connection } from './connection.ts'
import type { Lane } from './lane.ts'

/** A connection held alone until `release`, which may be called twice. */
export interface Held {
  readonly connection: Connection
  release(): void
}

/** Read-only connections, opened when first needed and kept. */
export interface Readers {
  acquire(holder: string, signal?: AbortSignal): Promise<Held>
  close(): void
}

/** Lends connections by turns of `lane`, whose capacity bounds how many there will be. */
export function readers(lane: Lane, open: () => Connection): Readers {
  const idle: Connection[] = []
  const all = new Set<Connection>()
  return {
    async acquire(holder, signal) {
      const release = await lane.acquire(holder, signal)
      try {
        const connection = idle.pop() ?? open()
        all.add(connection)
        let held = true
        return {
          connection,
          release() {
            if (!held) return
            held = false
            idle.push(connection)
            release()
          },
        }
      } catch (error) {
        release()
        throw error
      }
    },
    close() {
      lane.close()
      for (const connection of all) connection.close()
    },
  }
}
