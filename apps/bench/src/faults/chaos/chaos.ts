import { setTimeout as delay } from 'node:timers/promises'
import { startSwitchyard } from '../../peers/switchyard.ts'
import { chaosClient, now } from './client.ts'
import { CHAOS_FAULTS, type ChaosFault } from './faults.ts'
import { openLoop } from './open-loop.ts'
import { type ChaosRow, type StateChange, summarize } from './summary.ts'
import { type ChaosTarget, startTarget } from './target.ts'

export interface ChaosOptions {
  /** Requests a second, half of them streamed. */
  readonly rate: number
  /** Length of each run, its fault included. */
  readonly seconds: number
  /** Names of the faults to run; absent: all. */
  readonly faults?: readonly string[] | undefined
  readonly progress: (line: string) => void
}

export interface ChaosResult {
  readonly rate: number
  readonly seconds: number
  readonly rows: readonly ChaosRow[]
}

const TARGETS = ['a', 'b', 'c'] as const
const MODEL = 'gpt-fake'
const PUBLIC_NAME = 'chat'
/** A client that has no whole reply by then has failed. */
const PATIENCE_MS = 30_000
const WARM_UP_SECONDS = 3

/** Runs every fault at one of three targets behind one name, one after the other, each with processes of its own. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const rows: ChaosRow[] = []
  const chosen = CHAOS_FAULTS.filter(({ name }) => options.faults === undefined || options.faults.includes(name))
  for (const [index, fault] of chosen.entries()) {
    options.progress(`chaos ${index + 1}/${chosen.length}: ${fault.name} (${fault.what}), ${options.seconds} s`)
    const row = await runFault(fault, TARGETS[index % TARGETS.length] as string, options)
    rows.push(row)
    const { succeededPercent, ejectedMs, missed } = row
    const ejected = ejectedMs === undefined ? 'not ejected' : `ejected after ${Math.round(ejectedMs)} ms`
    options.progress(`${succeededPercent.toFixed(3)} % succeeded, ${ejected}, missed: ${missed.join(', ') || 'nothing'}`)
  }
  return { rate: options.rate, seconds: options.seconds, rows }
}

/** When within a run the fault begins and ends, in seconds: after a fault-free part, and early enough to see what comes after it. */
export function faultSpan(seconds: number): { readonly from: number; readonly to: number } {
  const from = Math.min(5, seconds / 4)
  return { from, to: Math.max(from + 3, seconds * 0.4) }
}

async function runFault(fault: ChaosFault, name: string, { rate, seconds }: ChaosOptions): Promise<ChaosRow> {
  await using stack = new AsyncDisposableStack()
  const targets: ChaosTarget[] = []
  for (const each of TARGETS) {
    targets.push(stack.adopt(await startTarget(each), (target) => target.stop()))
  }
  const target = targets.find((each) => each.name === name) as ChaosTarget
  const gateway = stack.adopt(await startSwitchyard(configuration(targets)), ({ stop }) => stop())
  const client = stack.adopt(chaosClient(gateway.origin, PUBLIC_NAME, PATIENCE_MS), ({ close }) => close())
  const send = (at: number, index: number) => client.send(at, index % 2 === 1)

  await openLoop({ rate, seconds: WARM_UP_SECONDS }, send)
  const span = faultSpan(seconds)
  const load = openLoop({ rate, seconds }, send)
  await delay(span.from * 1_000)
  const faultAt = now()
  fault.begin(target)
  await delay((span.to - span.from) * 1_000)
  await fault.end(target)
  const faultEndAt = now()
  const samples = await load
  return summarize({
    fault: fault.name,
    target: name,
    targets: targets.length,
    rate,
    faultAt,
    faultEndAt,
    samples,
    arrivals: target.arrivals,
    history: await historyOf(gateway.origin, name),
  })
}

function configuration(targets: readonly ChaosTarget[]): object {
  const models = targets.map(({ name }) => `${name}/${MODEL}`)
  return {
    plugins: [
      { use: '@switchyard/routing', options: { routes: { [PUBLIC_NAME]: { strategy: 'weighted', targets: models } } } },
      { use: '@switchyard/resilience' },
      { use: '@switchyard/health', options: { latency: { ejectAfterMs: 1_000 } } },
      ...targets.map(({ name, url }) => ({
        use: '@switchyard/provider-openai',
        as: name,
        options: { provider: name, baseUrl: url, apiKey: 'fake', egress: { allow: ['127.0.0.0/8'] } },
      })),
    ],
  }
}

async function historyOf(origin: string, name: string): Promise<readonly StateChange[]> {
  const reply = await fetch(`${origin}/admin/health/${encodeURIComponent(`${name}/${name}/${MODEL}`)}`)
  if (!reply.ok) throw new Error(`GET /admin/health answered ${reply.status}: ${await reply.text()}`)
  return ((await reply.json()) as { readonly history: readonly StateChange[] }).history
}
