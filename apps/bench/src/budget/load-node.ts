import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { guarded } from '../peers/guard.ts'
import type { NodeMessage, NodeOrder, NodeSettings } from './schemes.ts'

/** A process that sends calls. */
export interface LoadNode {
  order(order: NodeOrder): void
  /** Without a chance to say or write anything. */
  kill(): Promise<void>
  readonly exited: Promise<unknown>
}

const PROGRAM = fileURLToPath(new URL('./node-process.ts', import.meta.url))
const READY_MS = 60_000

/** Starts it; resolves when it is ready to go. Rejects with the end of what it printed. */
export async function startLoadNode(settings: NodeSettings, onMessage: (message: NodeMessage) => void): Promise<LoadNode> {
  const words = ['--conditions=@switchyard/source', '--no-warnings', PROGRAM, JSON.stringify(settings)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const unguard = guarded(child.pid as number)
  const exited = once(child, 'exit').finally(() => {
    process.off('exit', kill)
    unguard()
  })
  let said = ''
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-4_000)
  })
  await ready(child, onMessage).catch((error: Error) => {
    kill()
    throw new Error(`a process of the load did not start (${error.message}):\n${said}`)
  })
  return {
    order: (order) => void child.send(order, () => {}),
    async kill() {
      kill()
      await exited
    },
    exited,
  }
}

function ready(child: ChildProcess, onMessage: (message: NodeMessage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('too slow')), READY_MS)
    child.once('exit', (code) => reject(new Error(`exit ${code}`)))
    child.on('message', (message: NodeMessage) => {
      if (message.kind === 'ready') {
        clearTimeout(timer)
        resolve()
      } else onMessage(message)
    })
  })
}
