import { fileURLToPath } from 'node:url'
import { freePort, type SpokenProgram, startProgram } from '../../peers/program.ts'

/** One of the upstreams behind the public name, a process of its own. */
export interface ChaosTarget {
  /** Also its provider instance and the prefix of its model. */
  readonly name: string
  readonly url: string
  /** When requests came, in epoch ms, by its own record, which a killed process takes with it for the last 50 ms. */
  readonly arrivals: readonly number[]
  /** What every request suffers from now on, as the fake upstream's text. */
  suffer(fault: string): void
  signal(name: NodeJS.Signals): void
  /** Starts it again where it was, after it was killed. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What an upstream takes for a right reply, in the text of its faults: some 40 ms to the first content, and then token by token. */
export const USUAL = 'delay:headers:40+delay:tokens:4'

const PROCESS = fileURLToPath(new URL('./upstream-process.ts', import.meta.url))

/** Starts an upstream that answers as usual. The caller stops it. */
export async function startTarget(name: string): Promise<ChaosTarget> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const arrivals: number[] = []
  const start = (): Promise<SpokenProgram> =>
    startProgram(process.execPath, ['--conditions=@switchyard/source', PROCESS, String(port), USUAL], `${origin}/v1/models`, {
      onMessage: (message) => void arrivals.push(...(message as { readonly arrivals: readonly number[] }).arrivals),
    })
  let program = await start()
  return {
    name,
    url: `${origin}/v1`,
    arrivals,
    suffer: (fault) => program.send({ always: fault }),
    signal: (signal) => program.signal(signal),
    async restart() {
      await program.stop()
      program = await start()
    },
    stop: () => program.stop(),
  }
}
