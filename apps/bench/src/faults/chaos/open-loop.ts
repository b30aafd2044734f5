import { setTimeout as delay } from 'node:timers/promises'
import { now } from './client.ts'

export interface OpenLoop {
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
}

/**
 * Sends at a steady rate whether or not replies come, and resolves with all replies. Requests are timed from when they were due, so that a
 * load generator that is late hides nothing.
 */
export async function openLoop<T>(
  { rate, seconds }: OpenLoop,
  send: (dueAt: number, index: number) => Promise<T>,
): Promise<T[]> {
  const startedAt = now()
  const replies: Promise<T>[] = []
  for (let sent = 0; sent < rate * seconds; ) {
    const due = Math.min(rate * seconds, dueBy(now() - startedAt, rate))
    for (; sent < due; sent++) replies.push(send(startedAt + (sent * 1_000) / rate, sent))
    await delay(1)
  }
  return await Promise.all(replies)
}

/** How many requests are due so long after the start: the first one at once. */
export function dueBy(elapsedMs: number, rate: number): number {
  return Math.floor((elapsedMs * rate) / 1_000) + 1
}
