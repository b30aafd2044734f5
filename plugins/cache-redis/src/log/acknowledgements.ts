import type { Clock } from '@switchyard/contract'
import { isOlder, type LogId } from './ids.ts'

/** A lease of another node that was in force when something was deleted. */
export interface OtherLease {
  readonly node: string
  /** Until it has run out, by the server's clock at the deletion. */
  readonly leftMs: number
}

/** Who has applied what. */
export interface Acknowledgements {
  /** A node says that it has applied everything up to an id. */
  heard(node: string, id: LogId): void
  /**
   * Resolves once each of them has applied the id or its lease has run out, and not before `holdMs` are over. What a node is
   * granted later it was granted with the id before it, so nobody needs to ask again. Never rejects.
   */
  wait(id: LogId, leases: readonly OtherLease[], holdMs: number): Promise<void>
  /** Ends all waiting. */
  close(): void
}

interface Waiting {
  readonly id: LogId
  readonly nodes: Set<string>
  readonly check: () => void
  readonly end: () => void
}

const NODES_KNOWN = 1_000

/** Makes an account of acknowledgements. */
export function acknowledgements(clock: Pick<Clock, 'schedule'>): Acknowledgements {
  const waiting = new Set<Waiting>()
  const last = new Map<string, LogId>()
  const has = (node: string, id: LogId): boolean => {
    const known = last.get(node)
    return known !== undefined && !isOlder(known, id)
  }

  return {
    heard(node, id) {
      if (has(node, id)) return
      last.delete(node)
      if (last.size >= NODES_KNOWN) last.delete(last.keys().next().value as string)
      last.set(node, id)
      for (const one of [...waiting]) {
        if (!isOlder(id, one.id) && one.nodes.delete(node)) one.check()
      }
    },
    wait(id, leases, holdMs) {
      const nodes = new Set(leases.flatMap(({ node }) => (has(node, id) ? [] : [node])))
      if (nodes.size === 0 && holdMs === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const cancels: (() => void)[] = []
        let held = holdMs > 0
        const one: Waiting = {
          id,
          nodes,
          check() {
            if (nodes.size === 0 && !held) one.end()
          },
          end() {
            for (const cancel of cancels) cancel()
            waiting.delete(one)
            resolve()
          },
        }
        waiting.add(one)
        const after = (ms: number, then: () => void): void => {
          cancels.push(
            clock.schedule(ms, () => {
              then()
              one.check()
            }),
          )
        }
        for (const { node, leftMs } of leases) if (nodes.has(node)) after(leftMs, () => nodes.delete(node))
        if (held) {
          after(holdMs, () => {
            held = false
          })
        }
      })
    },
    close() {
      for (const one of [...waiting]) one.end()
    },
  }
}
