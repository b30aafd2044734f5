import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { countTokens, estimateTokens, loadO200k } from '@switchyard/model-wire'
import { median, percentile } from '../measure/statistics.ts'
import { table, writeJson } from '../measure/table.ts'
import { HOSTILE, TEXTS } from './texts.ts'

export interface TokensBenchOptions {
  readonly rounds: number
  readonly json?: string
}

/** How near the estimates of a kind of text are; ratios are to o200k. */
export interface ErrorRow {
  readonly kind: string
  readonly characters: number
  readonly o200k: number
  readonly estimate: number
  readonly bytesBy4: number
  /** Millions of tokens a second, on the text repeated to 64 k characters. */
  readonly estimateSpeed: number
  readonly countSpeed: number
}

/** How long a count holds the event loop, in milliseconds. */
export interface SliceRow {
  readonly text: string
  readonly family: string
  readonly slices: number
  readonly totalMs: number
  readonly p99SliceMs: number
  /** Longest of any round, whatever else the machine did meanwhile. */
  readonly longestSliceMs: number
  /** Longest of the slices, each at its shortest over the rounds: what the work itself takes, once compiled. */
  readonly longestUndisturbedMs: number
  /** Longest that a timer of the event loop was late while it counted. */
  readonly loopDelayMs: number
  /** The estimate that does not yield. */
  readonly atOnceMs: number
}

const REPEATED_TO = 65_536

/** `pnpm bench tokens`: error of the estimates against o200k by kind of text, their speed, and the longest slice of hostile texts. */
export async function tokensBench(options: TokensBenchOptions): Promise<void> {
  const before = performance.now()
  const encode = await loadO200k()
  const loadMs = performance.now() - before
  const rows: ErrorRow[] = []
  for (const [kind, text] of TEXTS) rows.push(await errorRow(kind, text, encode, options.rounds))
  const slices: SliceRow[] = []
  for (const family of ['openai', 'claude'])
    for (const [name, text] of HOSTILE) slices.push(await sliceRow(name, text, family, options.rounds))
  print(rows, slices, loadMs)
  if (options.json !== undefined) await writeJson(options.json, { rows, ...{ slices, loadMs } })
}

async function errorRow(kind: string, text: string, encode: (text: string) => number, rounds: number): Promise<ErrorRow> {
  const o200k = encode(text)
  const long = text.repeat(Math.max(1, Math.floor(REPEATED_TO / text.length)))
  const tokens = (o200k * long.length) / text.length
  const atOnce = await fastest(rounds, async () => void estimateTokens(long, 'other'))
  const counted = await fastest(rounds, async () => void (await countTokens(long, { family: 'openai' })))
  return {
    kind,
    characters: text.length,
    o200k,
    estimate: estimateTokens(text, 'other') / o200k,
    bytesBy4: Math.ceil(Buffer.byteLength(text) / 4) / o200k,
    estimateSpeed: tokens / atOnce / 1_000,
    countSpeed: tokens / counted / 1_000,
  }
}

async function sliceRow(text: string, value: string, family: string, rounds: number): Promise<SliceRow> {
  const clock: number[] = []
  let undisturbed: readonly number[] = []
  const totals: number[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    let from = began
    const ofRound: number[] = []
    const note = (): void => void ofRound.push(performance.now() - from)
    const pause = async (): Promise<void> => {
      note()
      await new Promise((resolve) => setImmediate(resolve))
      from = performance.now()
    }
    await countTokens(value, { family, pause })
    note()
    totals.push(performance.now() - began)
    undisturbed = ofRound.map((ms, index) => Math.min(ms, undisturbed[index] ?? ms))
    clock.push(...ofRound)
  }
  delay.disable()
  return {
    text,
    family,
    slices: clock.length / rounds,
    totalMs: median(totals),
    p99SliceMs: percentile(clock, 99),
    longestSliceMs: Math.max(...clock),
    longestUndisturbedMs: Math.max(...undisturbed),
    loopDelayMs: delay.max / 1e6,
    atOnceMs: await fastest(rounds, async () => void estimateTokens(value, family)),
  }
}

async function fastest(rounds: number, work: () => Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await work()
    best = Math.min(best, performance.now() - began)
  }
  return best
}

function print(rows: readonly ErrorRow[], slices: readonly SliceRow[], loadMs: number): void {
  console.log(`o200k loaded in ${loadMs.toFixed(0)} ms, which hold the event loop once\n`)
  console.log(
    table(
      ['text', 'characters', 'o200k', 'estimate / o200k', 'bytes/4 / o200k', 'estimate Mtok/s', 'count Mtok/s'],
      rows.map((row) => [row.kind, row.characters, row.o200k, row.estimate, row.bytesBy4, row.estimateSpeed, row.countSpeed]),
    ),
  )
  console.log()
  console.log(
    table(
      [
        'hostile text',
        'family',
        'slices',
        'total ms',
        'p99 slice',
        'longest ms',
        'undisturbed ms',
        'loop late ms',
        'at once ms',
      ],
      slices.map((row) => [
        row.text,
        row.family,
        row.slices,
        row.totalMs,
        row.p99SliceMs,
        row.longestSliceMs,
        row.longestUndisturbedMs,
        row.loopDelayMs,
        row.atOnceMs,
      ]),
    ),
  )
}
