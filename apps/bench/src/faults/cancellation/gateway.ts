import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, startProgram } from '../../peers/program.ts'
import type { Snapshot } from './leaks.ts'

/** How a call ended inside the gateway. */
export interface EndedCall {
  /** Epoch ms with fractions. */
  readonly at: number
  readonly outcome: string
  readonly attempts: number
  readonly retries: number
}

/** A gateway in a process of its own that can be looked into. */
export interface OpenGateway {
  readonly origin: string
  /** Resolves once the call of that request is on its way through the policies. */
  whenCalled(requestId: string): Promise<void>
  /** Resolves once nothing of that call is left in the pipeline. */
  whenEnded(requestId: string): Promise<EndedCall>
  /** What it holds, after a collection of garbage. */
  snapshot(): Promise<Snapshot>
  stop(): Promise<void>
}

type Told = { readonly called: string } | ({ readonly ended: string } & EndedCall) | { readonly snapshot: Snapshot }

const PROCESS = fileURLToPath(new URL('./gateway-process.ts', import.meta.url))

/** Starts it with the given configuration. The caller stops it. */
export async function startOpenGateway(config: object): Promise<OpenGateway> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  const path = join(folder, 'switchyard.config.json')
  await writeFile(path, JSON.stringify(config))
  const called = new Waiting<undefined>()
  const ended = new Waiting<EndedCall>()
  const snapshots = new Waiting<Snapshot>()
  const onMessage = (message: unknown): void => {
    const told = message as Told
    if ('called' in told) called.settle(told.called, undefined)
    else if ('ended' in told) ended.settle(told.ended, told)
    else snapshots.settle('', told.snapshot)
  }
  const args = ['--expose-gc', '--conditions=@switchyard/source', PROCESS, path, String(port)]
  const program = await startProgram(process.execPath, args, `${origin}/healthz`, { onMessage })
  return {
    origin,
    whenCalled: (requestId) => called.for(requestId),
    whenEnded: (requestId) => ended.for(requestId),
    snapshot() {
      const taken = snapshots.for('')
      program.send({})
      return taken
    },
    async stop() {
      await program.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Values by key for whoever asked before they came. */
class Waiting<T> {
  private readonly asked = new Map<string, (value: T) => void>()

  for(key: string): Promise<T> {
    return new Promise((resolve) => this.asked.set(key, resolve))
  }

  /** What nobody asked for is forgotten. */
  settle(key: string, value: T): void {
    this.asked.get(key)?.(value)
    this.asked.delete(key)
  }
}
