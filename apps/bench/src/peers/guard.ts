import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

let guard: ChildProcess | undefined

/**
 * Sees to it that a process ends with the bench, also where the bench is killed and runs no more code of its own: another process waits for
 * the end of a pipe from here, and then kills what was told to it. Returns its end, for a process that has ended by itself.
 */
export function guarded(pid: number): () => void {
  guard ??= start()
  const { stdin } = guard
  stdin?.write(`+${pid}\n`)
  return () => void stdin?.write(`-${pid}\n`)
}

function start(): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./guard-process.ts', import.meta.url))], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own group, so that what ends the bench's does not end the guard before its work is done.
    detached: true,
  })
  child.stdin?.on('error', () => {})
  child.unref()
  // A pipe that is held open must not hold the bench.
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}
