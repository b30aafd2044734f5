import { setTimeout as delay } from 'node:timers/promises'
import type { FakeUpstream } from '@switchyard/testkit'
import { request } from 'undici'
import { percentile } from '../measure/statistics.ts'

export interface DisconnectRow {
  readonly path: string
  readonly aborts: number
  /** Of those, how many upstream exchanges were closed within the limit. */
  readonly closed: number
  /** From the client's leaving to the upstream socket's close. */
  readonly p50Ms: number
  readonly p99Ms: number
}

const LIMIT_MS = 1_500

/** Leaves `aborts` endless streams after their first bytes, one after the other, and times the upstream's close. */
export async function disconnects(
  path: string,
  url: string,
  model: string,
  upstream: FakeUpstream,
  aborts: number,
): Promise<DisconnectRow> {
  const times: number[] = []
  for (let index = 0; index < aborts; index++) {
    const before = upstream.requests.length
    const controller = new AbortController()
    const body = JSON.stringify({ model: `${model}!endless:5`, stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    const reply = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: controller.signal,
    })
    reply.body.on('error', () => {})
    await new Promise((resolve) => reply.body.once('data', resolve))
    const leftAt = performance.timeOrigin + performance.now()
    controller.abort()
    const closedAt = await Promise.race([upstream.whenClosed(before).then((record) => record.closedAt), delay(LIMIT_MS)])
    if (closedAt !== undefined) times.push(Math.max(0, closedAt - leftAt))
    else if (index >= 4 && times.length === 0) return row(path, index + 1, times)
  }
  return row(path, aborts, times)
}

function row(path: string, aborts: number, times: readonly number[]): DisconnectRow {
  return { path, aborts, closed: times.length, p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) }
}
