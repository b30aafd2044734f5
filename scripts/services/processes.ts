import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ProcessId } from './contract.ts'

/** The start time of a living process as its system tells it; undefined where there is no such process. */
export function startTime(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' ? undefined : fields[19]
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

/** The process with this number as it is now. Throws where there is none. */
export function identify(pid: number): ProcessId {
  const startedAt = startTime(pid)
  if (startedAt === undefined) throw new Error(`there is no process ${pid}`)
  return { pid, startedAt }
}

/** False too where another process has taken the number since. */
export function isAlive({ pid, startedAt }: ProcessId): boolean {
  return startTime(pid) === startedAt
}

/** Sends a signal to this very process; nothing where it has ended. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Ends a process: first kindly, by `signal`, and by force after `graceMs`. Resolves when it is gone. */
export async function endProcess(id: ProcessId, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  signalProcess(id, signal)
  const deadline = Date.now() + graceMs
  while (isAlive(id)) {
    if (Date.now() > deadline) signalProcess(id, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
