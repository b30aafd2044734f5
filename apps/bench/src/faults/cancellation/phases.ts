import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FakeUpstream, Recorded } from '@switchyard/testkit'
import type { LeavingClient } from './client.ts'
import type { OpenGateway } from './gateway.ts'
import type { SilentServer } from './silent-server.ts'

export interface PhaseParts {
  readonly client: LeavingClient
  readonly gateway: OpenGateway
  readonly upstream: FakeUpstream
  readonly silent: SilentServer
}

/** One way of leaving. */
export interface Phase {
  readonly name: string
  /** What is timed from the client's leaving: the end of the upstream's socket, or where there is none that of the call. */
  readonly until: 'socket' | 'call'
  /** Leaves once, and resolves with the milliseconds until then; undefined where the client was not in this phase when it left. */
  leave(parts: PhaseParts): Promise<number | undefined>
}

/** The model that one endless stream holds the only slot of. */
export const HELD = 'up/held!endless:200'

const UPSTREAM = 'up/gpt-fake'
/** By then the gateway has had a reply that the upstream sent. */
const ARRIVES_MS = 8

const connecting: Phase = {
  name: 'while connecting',
  until: 'socket',
  async leave({ client, gateway, silent }) {
    const connected = silent.next()
    const leaver = client.ask('tls/gpt-fake', true)
    const socket = await connected
    const ended = gateway.whenEnded(leaver.id)
    const closed = once(socket, 'close').then(now)
    const leftAt = leaver.leave()
    const closedAt = await closed
    await ended
    return closedAt - leftAt
  },
}

function atUpstream(name: string, fault: string, there: (record: Recorded) => boolean): Phase {
  return {
    name,
    until: 'socket',
    async leave({ client, gateway, upstream }) {
      const index = upstream.requests.length
      const leaver = client.ask(`${UPSTREAM}!${fault}`, true)
      const ended = gateway.whenEnded(leaver.id)
      for (;;) {
        const record = upstream.requests[index]
        if (record !== undefined && there(record)) break
        await delay(1)
      }
      const leftAt = leaver.leave()
      const { closedAt = Number.NaN } = await upstream.whenClosed(index)
      await ended
      return closedAt - leftAt
    },
  }
}

const midStream: Phase = {
  name: 'mid-stream',
  until: 'socket',
  async leave({ client, gateway, upstream }) {
    const index = upstream.requests.length
    const leaver = client.ask(`${UPSTREAM}!endless:5`, true)
    const ended = gateway.whenEnded(leaver.id)
    await leaver.firstBytes
    const leftAt = leaver.leave()
    const { closedAt = Number.NaN } = await upstream.whenClosed(index)
    await ended
    return closedAt - leftAt
  },
}

const queued: Phase = {
  name: 'queued for a slot',
  until: 'call',
  async leave({ client, gateway }) {
    const leaver = client.ask(HELD, true)
    const ended = gateway.whenEnded(leaver.id)
    await gateway.whenCalled(leaver.id)
    const leftAt = leaver.leave()
    const { at, attempts } = await ended
    return attempts === 0 ? at - leftAt : undefined
  },
}

const backingOff: Phase = {
  name: 'waiting to retry',
  until: 'call',
  async leave({ client, gateway, upstream }) {
    const index = upstream.requests.length
    const leaver = client.ask(`${UPSTREAM}!status:503`, true)
    const ended = gateway.whenEnded(leaver.id)
    await upstream.whenClosed(index)
    await delay(ARRIVES_MS)
    const leftAt = leaver.leave()
    const { at, retries } = await ended
    // Where chance made the wait a short one, the second attempt has been sent.
    return retries === 1 && upstream.requests.length === index + 1 ? at - leftAt : undefined
  },
}

/** Every phase that a request goes through before its last byte. */
export const PHASES: readonly Phase[] = [
  connecting,
  atUpstream('before headers', 'stall:headers', ({ rawBody }) => rawBody.length > 0),
  atUpstream('before the first token', 'stall:first', ({ bytesWritten }) => bytesWritten > 0),
  midStream,
  queued,
  backingOff,
]

function now(): number {
  return performance.timeOrigin + performance.now()
}
