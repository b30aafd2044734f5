import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type Program, startProgram } from './program.ts'

export interface Served extends Program {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
}

const CONDITIONS = '--conditions=@switchyard/source'
const GATEWAY = fileURLToPath(new URL('cli/main.ts', import.meta.resolve('@switchyard/gateway')))

/** A Switchyard gateway, as its command starts it, with the given configuration. */
export async function startSwitchyard(config: object): Promise<Served> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  const path = join(folder, 'switchyard.config.json')
  await writeFile(path, JSON.stringify(config))
  const args = [CONDITIONS, GATEWAY, 'start', '--config', path, '--port', String(port)]
  const program = await startProgram(process.execPath, args, `${origin}/healthz`)
  return {
    ...program,
    origin,
    async stop() {
      await program.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Portkey's own gateway, alone. */
export async function startPortkeyAlone(): Promise<Served> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const main = createRequire(import.meta.url).resolve('@portkey-ai/gateway/build/start-server.js')
  const env = { PATH: process.env.PATH, NODE_ENV: 'production' }
  const program = await startProgram(process.execPath, [main, `--port=${port}`, '--headless'], `${origin}/`, { env })
  return { ...program, origin }
}
