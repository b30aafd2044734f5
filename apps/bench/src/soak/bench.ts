import { loadavg } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { definePlugin } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { resilience } from '@switchyard/resilience'
import { table, writeJson } from '../measure/table.ts'
import { countListeners } from './counted-signal.ts'
import { soakTarget } from './endings.ts'
import { heapSlope, type SoakSample } from './slope.ts'

export interface SoakOptions {
  /** In all; 30 % of them are aborted by their caller. */
  readonly calls: number
  readonly json?: string
}

/** What a process holds. */
interface Held {
  readonly listeners: number
  readonly timers: number
  readonly heapBytes: number
}

export interface SoakResult {
  readonly calls: number
  readonly aborted: number
  readonly attempts: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly before: Held
  readonly after: Held
  readonly heapBytesPerCall: number
  readonly microsPerCall: number
}

const AT_ONCE = 500
const SAMPLES = 20
/** Share of the calls after which the heap is looked at: before it caches fill and code is compiled. */
const WARM_UP = 0.1
/** Every call is aborted whose number leaves less than this when divided by ten. */
const ABORTED_OF_TEN = 3

/** `pnpm bench soak`: calls through every guard, of which three in ten are aborted; what is left of them in the process. */
export async function soakBench({ calls, json }: SoakOptions): Promise<SoakResult> {
  const result = await soak(calls, (line) => console.error(`load ${loadavg()[0]?.toFixed(1)}: ${line}`))
  const { before, after } = result
  console.log(
    table(
      ['held', 'before', 'after'],
      [
        ['abort listeners', before.listeners, after.listeners],
        ['timers', before.timers, after.timers],
        ['heap, MB', before.heapBytes / 1e6, after.heapBytes / 1e6],
      ],
    ),
  )
  console.log(
    `\n${result.calls} calls, ${result.aborted} aborted, ${result.attempts} attempts; heap ${result.heapBytesPerCall.toFixed(2)} bytes a call by least squares; ${result.microsPerCall.toFixed(1)} us CPU a call, kernel and target included`,
  )
  console.log(
    Object.entries(result.outcomes)
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(', '),
  )
  if (json !== undefined) await writeJson(json, { rows: [result] })
  return result
}

/** Runs it; `progress` is told a tenth at a time. */
export async function soak(calls: number, progress: (line: string) => void): Promise<SoakResult> {
  const collect = collector()
  const listeners = countListeners()
  const target = soakTarget()
  const remote = definePlugin({
    name: 'remote',
    contract: 1,
    options: NO_OPTIONS,
    setup: () => ({ ports: {}, serves: { 'model.invoke': target.answer as never } }),
  })
  const breaker = { enabled: false }
  const kernel = await startKernel({
    plugins: [
      resilience({ breaker, shed: { enabled: false }, retry: { backoffBaseMs: 1 }, attempts: { streamFirstMs: 50 } }),
      remote(),
    ],
  })
  const held = (): Held => {
    collect()
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    return { listeners: listeners.on(), timers, heapBytes: process.memoryUsage().heapUsed }
  }
  const outcomes: Record<string, number> = {}
  let aborted = 0
  const one = async (index: number): Promise<void> => {
    const controller = new AbortController()
    const reply = kernel.call('model.invoke', {
      target: 'remote',
      request: { endpoint: 'chat/completions', model: 'fake/model', body: {}, stream: true },
      principal: { tenant: `tenant-${index % 7}`, keyId: 'k', roles: [] },
      idempotent: true,
      signal: controller.signal,
    })
    if (index % 10 < ABORTED_OF_TEN) {
      aborted++
      if (index % 20 < 10) controller.abort()
      else setImmediate(() => setImmediate(() => controller.abort()))
    }
    let outcome: string
    try {
      outcome = (await (await reply).ended).outcome
    } catch (error) {
      outcome = (error as { code?: string }).code ?? 'unknown'
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  const run = async (from: number, to: number): Promise<void> => {
    let next = from
    const worker = async (): Promise<void> => {
      while (next < to) await one(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
  try {
    const warm = Math.floor(calls * WARM_UP)
    await run(0, warm)
    const before = held()
    const cpu = process.cpuUsage()
    const samples: SoakSample[] = []
    for (let sample = 0; sample < SAMPLES; sample++) {
      const at = (part: number): number => warm + Math.floor(((calls - warm) * part) / SAMPLES)
      await run(at(sample), at(sample + 1))
      samples.push({ calls: at(sample + 1), heapBytes: held().heapBytes })
      if (sample % 2 === 1) progress(`soak ${at(sample + 1)}/${calls}`)
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      calls,
      aborted,
      attempts: target.attempts(),
      outcomes,
      before,
      after: held(),
      heapBytesPerCall: heapSlope(samples),
      microsPerCall: (user + system) / (calls - warm),
    }
  } finally {
    listeners.off()
    await kernel.close()
  }
}

const NO_OPTIONS = { '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value }) } } as const

/** A collection of garbage on demand, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
