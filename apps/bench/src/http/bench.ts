import { cpuMicros, rssMb } from '../measure/processes.ts'
import { median } from '../measure/statistics.ts'
import { type Cell, table, writeJson } from '../measure/table.ts'
import { firstTokenTimes } from './first-token.ts'
import { hitCostMicros } from './hit-cost.ts'
import { type LoadRequest, loadGenerator } from './load.ts'
import { QUESTION_NUMBER, requestBody } from './payloads.ts'
import { MODES, type Mode, type Peer, startPeers } from './peers.ts'
import { startStub } from './stub.ts'

export interface HttpBenchOptions {
  readonly seconds: number
  readonly rounds: number
  readonly connections: number
  readonly json?: string
}

export interface HttpRow {
  readonly name: Peer['name']
  readonly mode: Mode
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Streamed only, unloaded. */
  readonly firstTokenMs: number | undefined
  /** Of the peer's processes; for `direct` the stub's. Undefined without /proc. */
  readonly cpuMicrosPerRequest: number | undefined
  readonly rssMb: number | undefined
  readonly errors: number
}

const WARM_UP_SECONDS = 2
const FIRST_TOKEN_SAMPLES = 300

/** `pnpm bench http`: every peer in turn against one stub, interleaved over the rounds; medians. */
export async function httpBench(options: HttpBenchOptions): Promise<readonly HttpRow[]> {
  const stub = await startStub()
  const load = loadGenerator()
  let peers: readonly Peer[] = []
  try {
    peers = await startPeers(stub)
    console.error(
      `stub: ${stub.kind}; load: ${load.kind}; ${options.connections} connections; ${options.rounds} rounds of ${options.seconds} s`,
    )
    const samples = new Map<string, HttpRow[]>()
    for (const peer of peers)
      for (const mode of MODES) await load.run(requestOf(peer, mode), WARM_UP_SECONDS, options.connections)
    for (let round = 1; round <= options.rounds; round++) {
      for (const mode of MODES) {
        for (const peer of peers) {
          const row = await sample(peer, mode, load.run, options)
          console.error(`round ${round} ${mode} ${peer.name}: ${row.requestsPerSecond.toFixed(0)}/s`)
          samples.set(`${peer.name} ${mode}`, [...(samples.get(`${peer.name} ${mode}`) ?? []), row])
        }
      }
    }
    const rows = [...samples.values()].map(medians)
    console.log(asTable(rows))
    const hits = await hitCosts(rows)
    console.log(
      `\n${hits.map(({ mode, micros, share }) => `an exact hit takes the cache ${micros.toFixed(1)} us of CPU, ${mode}: ${(share * 100).toFixed(1)} % of a forwarded call`).join('\n')}`,
    )
    if (options.json !== undefined)
      await writeJson(options.json, { rows, ...{ hits, stub: stub.kind, load: load.kind, options } })
    return rows
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
    await stub.stop()
  }
}

function requestOf(peer: Peer, mode: Mode): LoadRequest {
  const { url, model, headers } = peer.request(mode)
  const body = requestBody(model, mode === 'stream', peer.cache === undefined ? 0.2 : 0)
  return { url, headers, body, varied: peer.cache === 'miss' ? QUESTION_NUMBER : undefined }
}

async function sample(
  peer: Peer,
  mode: Mode,
  run: ReturnType<typeof loadGenerator>['run'],
  options: HttpBenchOptions,
): Promise<HttpRow> {
  const request = requestOf(peer, mode)
  const firstToken = mode === 'stream' ? median(await firstTokenTimes(request, FIRST_TOKEN_SAMPLES)) : undefined
  const before = cpuMicros(peer.pids())
  const result = await run(request, options.seconds, options.connections)
  const after = cpuMicros(peer.pids())
  return {
    name: peer.name,
    mode,
    requestsPerSecond: result.requestsPerSecond,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    firstTokenMs: firstToken,
    cpuMicrosPerRequest: before === undefined || after === undefined ? undefined : (after - before) / result.requests,
    rssMb: rssMb(peer.pids()),
    errors: result.errors,
  }
}

interface HitCost {
  readonly mode: Mode
  readonly micros: number
  /** Of what a forwarded call takes the gateway. */
  readonly share: number
}

async function hitCosts(rows: readonly HttpRow[]): Promise<readonly HitCost[]> {
  const costs: HitCost[] = []
  for (const mode of MODES) {
    const forwarded =
      rows.find((row) => row.name === 'switchyard-openai' && row.mode === mode)?.cpuMicrosPerRequest ?? Number.NaN
    const micros = await hitCostMicros(mode === 'stream')
    costs.push({ mode, micros, share: micros / forwarded })
  }
  return costs
}

function medians(rows: readonly HttpRow[]): HttpRow {
  const [first] = rows as readonly [HttpRow]
  const of = (name: 'requestsPerSecond' | 'p50Ms' | 'p99Ms'): number => median(rows.map((row) => row[name]))
  const known = (name: 'firstTokenMs' | 'cpuMicrosPerRequest' | 'rssMb'): number | undefined => {
    const values = rows.map((row) => row[name]).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : median(values)
  }
  return {
    name: first.name,
    mode: first.mode,
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    firstTokenMs: known('firstTokenMs'),
    cpuMicrosPerRequest: known('cpuMicrosPerRequest'),
    rssMb: known('rssMb'),
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
  }
}

function asTable(rows: readonly HttpRow[]): string {
  const rate = (name: Peer['name'], mode: Mode): number =>
    rows.find((row) => row.name === name && row.mode === mode)?.requestsPerSecond ?? Number.NaN
  const cells = rows.map((row): Cell[] => [
    row.name,
    row.mode,
    row.requestsPerSecond,
    row.requestsPerSecond / rate('floor', row.mode),
    row.requestsPerSecond / rate('portkey', row.mode),
    row.p50Ms,
    row.p99Ms,
    row.firstTokenMs,
    row.cpuMicrosPerRequest,
    row.rssMb,
    String(row.errors),
  ])
  return table(
    [
      'name',
      'mode',
      'requests/s',
      'of floor',
      'x portkey',
      'p50 ms',
      'p99 ms',
      'first token ms',
      'CPU us/request',
      'RSS MB',
      'errors',
    ],
    cells,
  )
}
