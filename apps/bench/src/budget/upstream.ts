import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generatedAt, type LoadCall } from './load.ts'
import { billedPico } from './price.ts'

/** What an upstream has billed for one request. */
export interface Bill {
  readonly id: string
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms; undefined while it runs. */
  endedAt: number | undefined
  /** Pico-USD that it would cost in full. */
  readonly wholePico: bigint
  /** Pico-USD; 0 while it runs. */
  pico: bigint
  outputTokens: number
  how: 'running' | 'whole' | 'cut'
}

/** A model that is billed by the token, and the tally of it, which nobody else writes to. */
export interface TallyingUpstream {
  readonly url: string
  /** One a request, in the order in which they came; the same call sent twice is billed twice. */
  readonly bills: readonly Bill[]
  /** Pico-USD of all that has ended. */
  readonly billedPico: bigint
  readonly running: number
  close(): Promise<void>
}

const TICK_MS = 15

/**
 * Starts it on a free port of loopback. A request's body is a `LoadCall`; the reply is a line of JSON a tick, the tokens generated so far,
 * and `{"end":true}` in the last. Whoever leaves is billed what was sent until then.
 */
export async function startTallyingUpstream(onStart: (bill: Bill) => void = () => {}): Promise<TallyingUpstream> {
  const bills: Bill[] = []
  const running = new Map<ServerResponse, () => void>()
  let billed = 0n

  function serve(call: LoadCall, response: ServerResponse): void {
    const began = performance.now()
    const { id, inputTokens, outputTokens, leavesAt } = call
    const wholePico = billedPico(inputTokens, leavesAt ?? outputTokens)
    const bill: Bill = {
      id,
      startedAt: Date.now(),
      endedAt: undefined,
      wholePico,
      pico: 0n,
      outputTokens: 0,
      how: 'running',
    }
    bills.push(bill)
    onStart(bill)
    const end = (how: 'whole' | 'cut'): void => {
      if (bill.how !== 'running') return
      running.delete(response)
      clearInterval(timer)
      bill.how = how
      bill.endedAt = Date.now()
      bill.pico = billedPico(inputTokens, bill.outputTokens)
      billed += bill.pico
    }
    const tick = (): void => {
      const tokens = generatedAt(call, performance.now() - began)
      if (tokens === bill.outputTokens) return
      bill.outputTokens = tokens
      if (tokens < outputTokens) response.write(`{"tokens":${tokens}}\n`)
      else {
        response.end(`{"tokens":${tokens},"end":true}\n`)
        end('whole')
      }
    }
    const timer = setInterval(tick, TICK_MS)
    running.set(response, () => end('cut'))
    response.once('close', () => end('cut'))
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.flushHeaders()
  }

  const server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => serve(JSON.parse(Buffer.concat(parts).toString('utf8')) as LoadCall, response))
    response.on('error', () => {})
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    bills,
    get billedPico() {
      return billed
    },
    get running() {
      return running.size
    },
    close() {
      for (const end of running.values()) end()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
