import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '@switchyard/contract'
import type { Target } from './target.ts'
import { tlsOptions } from './tls.ts'

const SSL_REQUEST = [8, 80_877_103] as const
const CANCEL_REQUEST = 80_877_102

/** Which server process to cancel, as it told at login. */
export interface BackendKey {
  readonly processId: number
  readonly secretKey: number
}

/**
 * Asks the server to cancel what a backend runs, on a connection of its own (CancelRequest of the protocol, section 55.2.8). It
 * needs no login and no free slot, passes through pgbouncer, and goes under TLS where the target has it. Resolves when the server
 * has closed that connection, which it does after it has sent the signal, and also when it could not be reached in time.
 */
export function sendCancelRequest(target: Target, key: BackendKey, clock: Clock, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const { host, port } = target
    const socket = host.startsWith('/') ? connectTcp(`${host}/.s.PGSQL.${port}`) : connectTcp(port, host)
    let secure: Socket | undefined
    const end = (): void => {
      cancelTimer()
      secure?.destroy()
      socket.destroy()
      resolve()
    }
    const cancelTimer = clock.schedule(timeoutMs, end)
    socket.on('error', end)
    socket.on('close', end)
    const tls = tlsOptions(target)
    if (tls === false) {
      socket.once('connect', () => socket.write(integers(16, CANCEL_REQUEST, key.processId, key.secretKey)))
      return
    }
    socket.once('connect', () => socket.write(integers(...SSL_REQUEST)))
    socket.once('data', (answer: Buffer) => {
      if (answer.toString('latin1') !== 'S') return end()
      const servername = tls.servername ?? (host.startsWith('/') || /^[\d.]+$|:/.test(host) ? undefined : host)
      const upgraded = connectTls({ ...tls, socket, host, ...(servername === undefined ? {} : { servername }) }, () => {
        upgraded.write(integers(16, CANCEL_REQUEST, key.processId, key.secretKey))
      })
      upgraded.on('error', end)
      upgraded.on('close', end)
      secure = upgraded
    })
  })
}

function integers(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) buffer.writeInt32BE(value, at * 4)
  return buffer
}
