import { setTimeout as delay } from 'node:timers/promises'
import { startFakeUpstream } from '@switchyard/testkit'
import { percentile } from '../../measure/statistics.ts'
import { leavingClient } from './client.ts'
import { startOpenGateway } from './gateway.ts'
import { type LeakCheck, leakCheck } from './leaks.ts'
import { HELD, PHASES, type Phase, type PhaseParts } from './phases.ts'
import { startSilentServer } from './silent-server.ts'

export interface CancellationOptions {
  /** In all; each phase has its part. */
  readonly aborts: number
  readonly progress: (line: string) => void
}

export interface PhaseRow {
  readonly phase: string
  readonly until: Phase['until']
  readonly aborts: number
  /** Of those, how many were timed in this very phase. */
  readonly timed: number
  /** Never over within 5 s, the first client after all these included. */
  readonly hung: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface CancellationResult {
  readonly rows: readonly PhaseRow[]
  readonly check: LeakCheck
}

const LIMIT_MS = 5_000
/** Aborts of each phase before the first look at the process, so that what is made once is there. */
const WARM_UP = 150
/** Idle sockets are kept for 4 s. */
const QUIET_MS = 6_000

/** Leaves at every phase of a request, `aborts` times in all, and looks at what the gateway's process still holds afterwards. */
export async function cancellation({ aborts, progress }: CancellationOptions): Promise<CancellationResult> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeUpstream())
  const silent = stack.adopt(await startSilentServer(), (server) => server.close())
  const gateway = stack.adopt(await startOpenGateway(configuration(upstream.url, silent.port)), ({ stop }) => stop())
  const client = stack.adopt(leavingClient(gateway.origin), ({ close }) => close())
  const parts: PhaseParts = { client, gateway, upstream, silent }

  progress(`cancellation: warming up, ${WARM_UP} aborts a phase`)
  for (const phase of PHASES) await leaveOften(phase, WARM_UP, parts)
  await delay(QUIET_MS)
  const before = await gateway.snapshot()
  const each = Math.ceil(aborts / PHASES.length)
  const rows: PhaseRow[] = []
  for (const phase of PHASES) {
    progress(`cancellation ${rows.length + 1}/${PHASES.length}: ${each} clients leave ${phase.name}`)
    rows.push(await leaveOften(phase, each, parts))
  }
  await delay(QUIET_MS)
  const after = await gateway.snapshot()
  // Each target has one slot: one that the last client left behind would keep the next one out.
  for (const [index, phase] of PHASES.entries()) {
    const { hung } = await leaveOften(phase, 1, parts)
    rows[index] = { ...(rows[index] as PhaseRow), hung: (rows[index] as PhaseRow).hung + hung }
  }
  return { rows, check: leakCheck(before, after, each * PHASES.length) }
}

async function leaveOften(phase: Phase, aborts: number, parts: PhaseParts): Promise<PhaseRow> {
  const { client, gateway, upstream } = parts
  upstream.clear()
  const holder = phase.name.startsWith('queued') ? client.ask(HELD, true) : undefined
  await holder?.firstBytes
  const times: number[] = []
  let hung = 0
  for (let count = 0; count < aborts; count++) {
    const timer = new AbortController()
    const late = delay(LIMIT_MS, 'late' as const, { signal: timer.signal }).catch(() => undefined)
    const ms = await Promise.race([phase.leave(parts), late])
    timer.abort()
    if (ms === 'late') hung += 1
    else if (ms !== undefined) times.push(Math.max(0, ms))
  }
  if (holder !== undefined) {
    const ended = gateway.whenEnded(holder.id)
    holder.leave()
    await ended
  }
  return {
    phase: phase.name,
    until: phase.until,
    aborts,
    timed: times.length,
    hung,
    p50Ms: percentile(times, 50),
    p99Ms: percentile(times, 99),
    maxMs: Math.max(...times),
  }
}

/** One slot a target, so that one that is not given back shows at once; a backoff long enough to leave in. */
function configuration(upstreamUrl: string, silentPort: number): object {
  const egress = { allow: ['127.0.0.0/8'] }
  const provider = (name: string, baseUrl: string): object => ({
    use: '@switchyard/provider-openai',
    as: name,
    options: { provider: name, baseUrl, apiKey: 'fake', egress },
  })
  return {
    plugins: [
      {
        use: '@switchyard/resilience',
        options: {
          // The upstream of one phase does nothing but fail: an open breaker would keep its clients from it.
          breaker: { enabled: false },
          bulkhead: { slots: 1 },
          retry: { backoffBaseMs: 60_000, backoffMaxMs: 60_000, budgetRatio: 1 },
        },
      },
      { use: '@switchyard/health' },
      provider('up', upstreamUrl),
      provider('tls', `https://127.0.0.1:${silentPort}/v1`),
    ],
  }
}
