import { loadavg } from 'node:os'
import { writeJson } from '../measure/table.ts'
import { type CancellationResult, cancellation } from './cancellation/cancellation.ts'
import { printCancellation } from './cancellation/print.ts'
import { type CatalogueResult, catalogue, printCatalogue } from './catalogue.ts'
import { type ChaosResult, chaos } from './chaos/chaos.ts'
import { printChaos } from './chaos/print.ts'

/** The parts of `pnpm bench faults`, in the order in which they run. */
export const FAULT_PARTS = ['faults', 'chaos', 'cancellation'] as const
export type FaultPart = (typeof FAULT_PARTS)[number]

export interface FaultsBenchOptions {
  /** Clients that leave mid-stream in the part `faults`. */
  readonly aborts: number
  /** Of the part `chaos`, requests a second. */
  readonly rate: number
  /** Of the part `chaos`, length of each run. */
  readonly seconds: number
  /** Clients that leave in the part `cancellation`. */
  readonly leaves: number
  /** Absent: all. */
  readonly only?: FaultPart
  /** Names of faults of the part `chaos`. Absent: all. */
  readonly fault?: readonly string[]
  readonly json?: string
}

/** `pnpm bench faults`: what a client sees of faults, one by one and under load, and what is left of clients who leave. */
export async function faultsBench(options: FaultsBenchOptions): Promise<void> {
  const runs = (part: FaultPart): boolean => options.only === undefined || options.only === part
  const results: { rows: CatalogueResult['rows']; chaos?: ChaosResult; cancellation?: CancellationResult } = { rows: [] }
  const save = async (): Promise<void> => {
    if (options.json !== undefined) await writeJson(options.json, results)
  }
  if (runs('faults')) {
    const found = await catalogue(options.aborts)
    printCatalogue(found)
    Object.assign(results, found)
    await save()
  }
  if (runs('chaos')) {
    const { rate, seconds, fault: faults } = options
    results.chaos = await chaos({ rate, seconds, faults, progress })
    printChaos(results.chaos)
    await save()
  }
  if (runs('cancellation')) {
    results.cancellation = await cancellation({ aborts: options.leaves, progress })
    printCancellation(results.cancellation)
    await save()
  }
}

/** To standard error, so that tables can be kept; with the machine's load, which is part of what is measured. */
function progress(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} load ${loadavg()[0]?.toFixed(1)}: ${line}`)
}
